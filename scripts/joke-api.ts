import { type JokeApi, startJokeApi } from '../local/joke-api/create-joke-api.ts';
import { loadConfigOrExit } from '../src/config/config.ts';
import { onStop } from '../src/stop.ts';

const { jokeApiPort: port } = loadConfigOrExit();

function refuse(error: NodeJS.ErrnoException): never {
  const reason = error.code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${error.code ?? error.message})`;
  console.error(`Joke API: port ${port} ${reason}. Set JOKE_API_PORT to a free one.`);
  process.exit(1);
}

const api: JokeApi = await startJokeApi({ port }).catch(refuse);
console.log(`Joke API: ${api.url}`);

onStop(async () => {
  await api.close();
  process.exit();
});
