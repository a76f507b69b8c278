import { type JokeApi, startJokeApi } from '../local/joke-api/create-joke-api.ts';
import { loadConfigOrExit } from '../src/config/config.ts';
import { onStop } from '../src/stop.ts';
import { createOutput } from '../src/telemetry/log.ts';

const { jokeApiPort: port } = loadConfigOrExit();

function refuse(error: NodeJS.ErrnoException): never {
  const reason = error.code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${error.code ?? error.message})`;
  console.error(`Joke API: port ${port} ${reason}. Set JOKE_API_PORT to a free one.`);
  process.exit(1);
}

const api: JokeApi = await startJokeApi({ port }).catch(refuse);
// A closed stdout, as in `npm start -- --demo | head -1`, must not end this process.
const output = createOutput();
output.write(`Joke API: ${api.url}\n`);

onStop(async () => {
  await api.close();
  output.flush(() => process.exit());
});
