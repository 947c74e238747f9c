import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isRoot, run, toolsDir, which } from './commands.ts'
import { hasApt } from './debian-packages.ts'
import { type LocalContext, startLocal } from './local.ts'
import { probes } from './probes.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import { StoreError } from './store-error.ts'

export const mongoUrl = (port: number): string => `mongodb://127.0.0.1:${port}`

/** A real mongod where there is one or one can be had quickly, else mongo-java-server; a data directory keeps the engine it began with. */
export function startMongo(context: LocalContext): Promise<ServerProcess> {
  const probe = (port: number): Promise<void> => probes.mongo(mongoUrl(port))
  const start = async (folder: string, port: number): Promise<ServerProcess> => {
    const engine = await chooseEngine(context, folder)
    const common = {
      name: 'mongo',
      dataDir: context.dataDir,
      port,
      logFile: join(folder, 'log'),
      probe: () => probe(port),
      log: context.log,
    }
    if (engine.mongod) {
      const data = join(folder, 'wiredtiger')
      mkdirSync(data, { recursive: true })
      return startServer({
        ...common,
        command: engine.mongod,
        args: [
          '--dbpath',
          data,
          '--port',
          String(port),
          '--bind_ip',
          '127.0.0.1',
          '--nounixsocket',
          '--wiredTigerCacheSizeGB',
          '0.25',
        ],
        chosen: `mongod (${engine.mongod}) on port ${port}, data in ${data}`,
      })
    }
    const { java, classPath } = await mongoJavaServer(context)
    const data = join(folder, 'h2')
    mkdirSync(data, { recursive: true })
    return startServer({
      ...common,
      command: java,
      args: [
        '-Xmx1536m',
        '-XX:+UseSerialGC',
        '-XX:-UsePerfData',
        '-cp',
        classPath,
        'Launcher',
        String(port),
        join(data, 'mongo.mv'),
      ],
      chosen: `mongo-java-server 1.47 on port ${port}, data in ${data} (${engine.why})`,
    })
  }
  return startLocal(context, { name: 'mongo', probe, start })
}

async function chooseEngine(context: LocalContext, folder: string): Promise<{ mongod?: string; why: string }> {
  const decision = join(folder, 'engine')
  const decided = existsSync(decision) ? readFileSync(decision, 'utf8') : ''
  // The failed download is remembered with it, so that only the first start waits for one.
  if (decided === 'java')
    return { why: 'chosen by the first start with this data, when no mongod could be had; wipe to choose again' }
  const mongod = which('mongod') ?? (await downloadMongod(context))
  if (!mongod && decided === 'mongod')
    throw new StoreError(
      `mongo: the data in ${folder} needs a mongod on PATH, as at its first start; wipe it to use another engine`,
    )
  writeFileSync(decision, mongod ? 'mongod' : 'java')
  return mongod ? { mongod, why: '' } : { why: 'there is no mongod on PATH and the download did not succeed' }
}

async function downloadMongod(context: LocalContext): Promise<string | undefined> {
  const folder = join(toolsDir(context.dataDir), 'mongod')
  mkdirSync(folder, { recursive: true })
  context.log('mongo: no mongod on PATH, trying to download one for at most 10 s')
  try {
    const path = await run(process.execPath, [join(import.meta.dirname, 'download-mongod.ts'), folder], {
      timeoutMs: 10_000,
    })
    await run(path, ['--version'])
    return path
  } catch (error) {
    context.log(`mongo: using mongo-java-server (${error instanceof Error ? error.message : error})`)
    return undefined
  }
}

const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1'

/** The jars by Maven and the compiled launcher, made once per tools folder. */
async function mongoJavaServer(context: LocalContext): Promise<{ java: string; classPath: string }> {
  const source = join(import.meta.dirname, '..', 'mongo-java')
  const hash = createHash('sha256')
  for (const file of ['pom.xml', 'Launcher.java']) hash.update(readFileSync(join(source, file)))
  const target = join(toolsDir(context.dataDir), `mongo-java-${hash.digest('hex').slice(0, 12)}`)
  const classPath = [join(target, 'classes'), join(target, 'lib', '*')].join(':')
  if (existsSync(target)) return { java: await findJava(context), classPath }

  const java = await findJava(context, true)
  context.log(`mongo: fetching mongo-java-server by Maven to ${target}`)
  const work = `${target}.${process.pid}`
  try {
    cpSync(source, work, { recursive: true })
    await run('mvn', [
      '-q',
      '-B',
      '-f',
      join(work, 'pom.xml'),
      `${plugin}:copy-dependencies`,
      `-DoutputDirectory=${join(work, 'lib')}`,
      '-DincludeScope=runtime',
    ])
    const compiler = ['-m', 'jdk.compiler/com.sun.tools.javac.Main', '--release', '17', '-proc:none', '-nowarn']
    const jars = readdirSync(join(work, 'lib')).map((jar) => join(work, 'lib', jar))
    await run(java, [...compiler, '-cp', jars.join(':'), '-d', join(work, 'classes'), join(work, 'Launcher.java')])
    try {
      renameSync(work, target)
    } catch {
      // Another start was faster; its folder is as good.
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return { java, classPath }
}

async function findJava(context: LocalContext, toBuild = false): Promise<string> {
  const find = async (): Promise<string | undefined> => {
    const java = which('java', ...(process.env.JAVA_HOME ? [join(process.env.JAVA_HOME, 'bin')] : []))
    if (!java) return undefined
    const modules = await run(java, ['--list-modules']).catch(() => '')
    const major = Number(/^java\.base@(\d+)/m.exec(modules)?.[1] ?? 0)
    const able = major >= 17 && (!toBuild || (modules.includes('jdk.compiler@') && which('mvn') !== undefined))
    return able ? java : undefined
  }
  let java = await find()
  if (!java && isRoot && hasApt()) {
    context.log('mongo: installing default-jdk-headless and maven by apt-get (neither runs a service)')
    const installed = await run('apt-get', ['-qq', 'update'])
      .then(() =>
        run('apt-get', ['-qq', '-y', '--no-install-recommends', 'install', 'default-jdk-headless', 'maven'], {
          env: { DEBIAN_FRONTEND: 'noninteractive' },
        }),
      )
      .catch((error: unknown) => context.log(String(error)))
    if (installed !== undefined) java = await find()
  }
  if (java) return java
  throw new StoreError(
    [
      'mongo: there is no mongod on PATH, and mongo-java-server needs a JDK 17 or newer and Maven. One of these brings a MongoDB:',
      '  sudo apt-get install default-jdk-headless maven',
      '  brew tap mongodb/brew && brew install mongodb-community@8.0',
      '  docker compose up -d --wait mongo   (or just start Docker, it is used by itself)',
      'or set MONGO_URL to a server of yours.',
    ].join('\n'),
  )
}
