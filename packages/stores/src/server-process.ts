import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts'

/** What `<dataDir>/run/<name>.json` says about a server we started; it outlives us when we are killed. */
type RunRecord = {
  server: ProcessIdentity
  owner: ProcessIdentity
  port: number
  signal: NodeJS.Signals
  chosen: string
  closing?: true
}

export type ServerProcess = {
  port: number
  chosen: string
  /** Shuts it down; a server that somebody else started goes on. */
  stop(): Promise<void>
  /** Ends it as a crash would, without warning; a server that somebody else started goes on. */
  kill(): Promise<void>
}

export type ServerCommand = {
  name: string
  dataDir: string
  command: string
  args: string[]
  env?: NodeJS.ProcessEnv
  uid?: number | undefined
  gid?: number | undefined
  port: number
  /** The signal that makes it shut down cleanly without waiting for its clients. */
  signal?: NodeJS.Signals
  logFile: string
  /** The sentence for `Stores.chosen`; kept in the run record for those who share the server. */
  chosen: string
  /** Resolves when the server answers, rejects when it does not answer yet. */
  probe: () => Promise<void>
  readyWithinMs?: number
  log: (line: string) => void
}

const graceMs = 10_000
const stopping = new Set<number>()
const running = new Map<number, NodeJS.Signals>()

// The last resort when the process leaves without close(): signals cannot be awaited here.
export function signalAll(): void {
  for (const [pid, signal] of running) send(signal, pid)
}
process.on('exit', signalAll)

/**
 * Looks at what an earlier start left in `dataDir`. A server whose owner lives is shared; one whose owner died, or that
 * does not answer any more, is stopped.
 */
export async function reclaim(
  dataDir: string,
  name: string,
  probe: (port: number) => Promise<void>,
  log: (line: string) => void,
): Promise<ServerProcess | undefined> {
  const record = readRecord(dataDir, name)
  if (!record) return undefined
  const shareable = (): boolean => !record.closing && isAlive(record.server) && isAlive(record.owner)
  for (const deadline = Date.now() + 5_000; shareable() && Date.now() < deadline; await sleep(100)) {
    const answers = await probe(record.port).then(
      () => true,
      () => false,
    )
    if (!answers) continue
    const chosen = `${record.chosen}; shared with process ${record.owner.pid}, which started it`
    return { port: record.port, chosen, stop: async () => {}, kill: async () => {} }
  }
  if (!record.closing && isAlive(record.server))
    log(`${name}: stopping process ${record.server.pid}, left behind by an earlier start`)
  await stopServer(record.server, record.signal)
  rmSync(recordFile(dataDir, name), { force: true })
  return undefined
}

/** Starts a server in a process group of its own, so that Ctrl-C in a terminal reaches us first and we decide the order. */
export async function startServer(command: ServerCommand): Promise<ServerProcess> {
  const signal = command.signal ?? 'SIGTERM'
  const logFd = openSync(command.logFile, 'a')
  const child = spawn(command.command, command.args, {
    detached: true,
    stdio: ['ignore', logFd, logFd],
    env: { ...process.env, ...command.env },
    ...(command.uid === undefined ? {} : { uid: command.uid }),
    ...(command.gid === undefined ? {} : { gid: command.gid }),
  })
  closeSync(logFd)
  let exit: string | undefined
  child.once('error', (error) => {
    exit = error.message
  })
  const pid = child.pid
  if (pid === undefined) {
    await sleep(0)
    throw new Error(`${command.name} did not start: ${exit}`)
  }
  child.unref()
  running.set(pid, signal)
  const server = identify(pid) ?? { pid, started: 'gone' }
  const record: RunRecord = { server, owner: self(), port: command.port, signal, chosen: command.chosen }
  writeRecord(command.dataDir, command.name, record)
  let ready = false
  child.once('exit', (code, by) => {
    running.delete(pid)
    exit = by ? `it was ended by ${by}` : `it exited with code ${code}`
    if (ready && !stopping.has(pid)) command.log(`${command.name}: ${exit} (log: ${command.logFile})`)
  })
  const end = async (by: NodeJS.Signals): Promise<void> => {
    stopping.add(pid)
    if (readRecord(command.dataDir, command.name)?.server.pid === pid)
      writeRecord(command.dataDir, command.name, { ...record, closing: true })
    await stopServer(server, by)
    running.delete(pid)
    if (readRecord(command.dataDir, command.name)?.server.pid === pid)
      rmSync(recordFile(command.dataDir, command.name), { force: true })
  }
  const stop = (): Promise<void> => end(signal)
  const kill = (): Promise<void> => end('SIGKILL')
  const deadline = Date.now() + (command.readyWithinMs ?? 60_000)
  for (;;) {
    const answer = await command.probe().then(
      () => undefined,
      (error: unknown) => error as Error,
    )
    if (exit !== undefined) break
    if (answer === undefined) {
      ready = true
      return { port: command.port, chosen: command.chosen, stop, kill }
    }
    if (Date.now() > deadline) {
      exit = `it does not answer: ${answer.message}`
      break
    }
    await sleep(100)
  }
  await stop()
  throw new Error(`${command.name} did not start: ${exit}\n${lastLines(command.logFile, 8)}`)
}

/** Stops what an earlier start left behind, owner or not. */
export async function stopRecorded(dataDir: string, name: string): Promise<void> {
  const record = readRecord(dataDir, name)
  if (record && isAlive(record.server)) await stopServer(record.server, record.signal)
}

async function stopServer(server: ProcessIdentity, signal: NodeJS.Signals): Promise<void> {
  if (isAlive(server)) {
    send(signal, server.pid)
    const deadline = Date.now() + graceMs
    while (isAlive(server) && Date.now() < deadline) await sleep(50)
  }
  // Helpers of a dead leader stay in its group; an empty group answers ESRCH.
  send('SIGKILL', -server.pid)
  while (isAlive(server)) await sleep(50)
}

function send(signal: NodeJS.Signals, pid: number): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Already gone.
  }
}

let ownIdentity: ProcessIdentity | undefined
export function self(): ProcessIdentity {
  ownIdentity ??= identify(process.pid) ?? { pid: process.pid, started: 'unknown' }
  return ownIdentity
}

const recordFile = (dataDir: string, name: string): string => join(dataDir, 'run', `${name}.json`)

function readRecord(dataDir: string, name: string): RunRecord | undefined {
  try {
    return JSON.parse(readFileSync(recordFile(dataDir, name), 'utf8')) as RunRecord
  } catch {
    return undefined
  }
}

function writeRecord(dataDir: string, name: string, record: RunRecord): void {
  mkdirSync(join(dataDir, 'run'), { recursive: true })
  const file = recordFile(dataDir, name)
  writeFileSync(`${file}.new`, JSON.stringify(record))
  renameSync(`${file}.new`, file)
}

function lastLines(file: string, count: number): string {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count)
  return [`last lines of ${file}:`, ...lines].join('\n  ')
}
