import { join } from 'node:path'
import { which } from './commands.ts'
import type { DebianTree } from './debian-packages.ts'
import { type LocalContext, startLocal } from './local.ts'
import { probes } from './probes.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import { StoreError } from './store-error.ts'

export const redisUrl = (port: number): string => `redis://127.0.0.1:${port}`

export const installedRedis = (): string | undefined => which('redis-server')

export function startRedis(
  context: LocalContext,
  packages: (() => Promise<DebianTree>) | undefined,
): Promise<ServerProcess> {
  const probe = (port: number): Promise<void> => probes.redis(redisUrl(port))
  const start = async (folder: string, port: number): Promise<ServerProcess> => {
    const { command, env, origin } = await server(packages)
    const settings = {
      port,
      bind: '127.0.0.1',
      dir: folder,
      appendonly: 'yes',
      appendfsync: context.durable ? 'everysec' : 'no',
      save: '',
      // How often it wakes up with nothing to do, a second.
      hz: 2,
    }
    return startServer({
      name: 'redis',
      dataDir: context.dataDir,
      command,
      args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
      env,
      port,
      logFile: join(folder, 'log'),
      chosen: `redis-server ${origin} on port ${port}, data in ${folder}`,
      probe: () => probe(port),
      log: context.log,
    })
  }
  return startLocal(context, { name: 'redis', probe, start })
}

async function server(
  packages: (() => Promise<DebianTree>) | undefined,
): Promise<{ command: string; env: NodeJS.ProcessEnv; origin: string }> {
  const installed = installedRedis()
  if (installed) return { command: installed, env: {}, origin: `(${installed})` }
  if (packages) {
    const { root, env } = await packages()
    return { command: join(root, 'usr', 'bin', 'redis-server'), env, origin: 'from an unpacked Debian package' }
  }
  throw new StoreError(
    [
      'redis: there is no redis-server on PATH. One of these brings it:',
      '  sudo apt-get install redis-server && sudo systemctl disable --now redis-server',
      '  brew install redis',
      '  docker compose up -d --wait redis   (or just start Docker, it is used by itself)',
      'or set REDIS_URL to a server of yours.',
    ].join('\n'),
  )
}
