import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { isExecutable, which } from './commands.ts'
import type { DebianTree } from './debian-packages.ts'
import { type LocalContext, startLocal } from './local.ts'
import { choosePort, releasePort } from './ports.ts'
import { probes } from './probes.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import { StoreError } from './store-error.ts'

export const rabbitmqUrl = (port: number): string => `amqp://guest:guest@127.0.0.1:${port}`

// Debian's /usr/sbin/rabbitmq-server changes the user and reads system paths; this one is the server itself.
const debianServer = '/usr/lib/rabbitmq/bin/rabbitmq-server'

export const installedRabbitmq = (): string | undefined =>
  isExecutable(debianServer) ? debianServer : which('rabbitmq-server', '/opt/homebrew/sbin', '/usr/local/sbin')

/** RabbitMQ with its own folders, cookie and name server (epmd), so that it meets no other Erlang node of the machine. */
export async function startRabbitmq(
  context: LocalContext,
  packages: (() => Promise<DebianTree>) | undefined,
): Promise<ServerProcess> {
  const { command, env, origin } = await server(packages)
  const epmd = await startEpmd(context, env)
  try {
    const probe = (port: number): Promise<void> => probes.rabbitmq(rabbitmqUrl(port))
    const start = async (folder: string, port: number): Promise<ServerProcess> => {
      const distPort = await choosePort(port + 1, 'rabbitmq (Erlang distribution)', () => {})
      const file = (name: string, content: string): string => {
        writeFileSync(join(folder, name), content)
        return join(folder, name)
      }
      mkdirSync(join(folder, 'log'), { recursive: true })
      return startServer({
        name: 'rabbitmq',
        dataDir: context.dataDir,
        command,
        args: [],
        env: {
          ...env,
          HOME: folder,
          ERL_EPMD_PORT: String(epmd.port),
          RABBITMQ_NODENAME: 'haat@localhost',
          RABBITMQ_CONF_ENV_FILE: file('rabbitmq-env.conf', ''),
          RABBITMQ_CONFIG_FILE: file(
            'rabbitmq.conf',
            `listeners.tcp.1 = 127.0.0.1:${port}\nlog.console = false\nlog.file.level = warning\n`,
          ),
          RABBITMQ_ENABLED_PLUGINS_FILE: file('enabled_plugins', '[].\n'),
          RABBITMQ_MNESIA_BASE: join(folder, 'data'),
          RABBITMQ_LOG_BASE: join(folder, 'log'),
          RABBITMQ_PID_FILE: join(folder, 'pid'),
          RABBITMQ_DIST_PORT: String(distPort),
          RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
            '-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none',
          // The script then becomes the Erlang machine instead of waiting for it in a shell.
          RUNNING_UNDER_SYSTEMD: 'true',
        },
        port,
        logFile: join(folder, 'log', 'console'),
        chosen: `RabbitMQ ${origin} on port ${port}, data in ${folder}`,
        probe: () => probe(port),
        readyWithinMs: 120_000,
        log: context.log,
      }).finally(() => releasePort(distPort))
    }
    const broker = await startLocal(context, { name: 'rabbitmq', probe, start })
    const stop = async (): Promise<void> => {
      await broker.stop()
      await epmd.stop()
    }
    return { ...broker, stop }
  } catch (error) {
    await epmd.stop()
    throw error
  }
}

// Started by us and in the foreground, because the one RabbitMQ would start stays for ever.
function startEpmd(context: LocalContext, env: NodeJS.ProcessEnv): Promise<ServerProcess> {
  const probe = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve()
      })
      socket.once('error', reject)
    })
  const start = async (folder: string, port: number): Promise<ServerProcess> => {
    const path = env.PATH ?? process.env.PATH ?? ''
    const erl = which('erl', ...path.split(':'))
    const command = which('epmd', ...path.split(':')) ?? (erl && join(dirname(realpathSync(erl)), 'epmd'))
    if (!command) throw new StoreError('rabbitmq: Erlang is not on PATH')
    return startServer({
      name: 'epmd',
      dataDir: context.dataDir,
      command,
      args: ['-port', String(port), '-address', '127.0.0.1', '-relaxed_command_check'],
      env,
      port,
      logFile: join(folder, 'log'),
      chosen: 'epmd of RabbitMQ',
      probe: () => probe(port),
      readyWithinMs: 10_000,
      log: context.log,
    })
  }
  return startLocal({ ...context, wantedPort: context.wantedPort + 2 }, { name: 'epmd', probe, start })
}

async function server(
  packages: (() => Promise<DebianTree>) | undefined,
): Promise<{ command: string; env: NodeJS.ProcessEnv; origin: string }> {
  const installed = installedRabbitmq()
  if (installed) return { command: installed, env: {}, origin: `(${installed})` }
  if (packages) {
    const { root, env } = await packages()
    return { command: join(root, debianServer), env, origin: 'from an unpacked Debian package' }
  }
  throw new StoreError(
    [
      'rabbitmq: there is no rabbitmq-server on PATH. One of these brings it:',
      '  sudo apt-get install rabbitmq-server && sudo systemctl disable --now rabbitmq-server',
      '  brew install rabbitmq',
      '  docker compose up -d --wait rabbitmq   (or just start Docker, it is used by itself)',
      'or set RABBITMQ_URL to a server of yours.',
    ].join('\n'),
  )
}
