import { type JokeApi, startJokeApi } from '../local/joke-api/create-joke-api.ts';
import { loadConfigOrExit } from '../src/config/config.ts';

const { jokeApiPort: port } = loadConfigOrExit();

function refuse(error: NodeJS.ErrnoException): never {
  const reason = error.code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${error.code ?? error.message})`;
  console.error(`Joke API: port ${port} ${reason}. Set JOKE_API_PORT to a free one.`);
  process.exit(1);
}

const api: JokeApi = await startJokeApi({ port }).catch(refuse);
console.log(`Joke API: ${api.url}`);

const stop = () => void api.close();
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
// The IPC channel closes when the parent ends, even by kill -9. `unref` lets this process end with the channel open.
process.once('disconnect', stop);
process.channel?.unref();
