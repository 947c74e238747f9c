import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type StoreName, type Stores, startStores } from '@haat/stores/stores'
import type { Outage } from './outages.ts'

/** The processes of a store that `startStores` runs under a folder, the server first. */
function processesOf(dataDir: string, store: StoreName): number[] {
  const file = join(dataDir, 'run', `${store}.json`)
  const { server } = JSON.parse(readFileSync(file, 'utf8')) as { server: { pid: number } }
  const children = new Map<number, number[]>()
  for (const line of execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')) {
    const [pid = 0, parent = 0] = line.trim().split(/\s+/).map(Number)
    children.set(parent, [...(children.get(parent) ?? []), pid])
  }
  const found = [server.pid]
  for (const pid of found) found.push(...(children.get(pid) ?? []))
  return found
}

function signal(pids: number[], name: NodeJS.Signals): void {
  for (const pid of pids)
    try {
      process.kill(pid, name)
    } catch {
      // Gone meanwhile.
    }
}

/** A store killed without warning, and started again on its data and its port. */
export function killing(dataDir: string, store: StoreName, url: string, keep: (stores: Stores) => void): Outage {
  return {
    store,
    name: `${store} killed`,
    async begin() {
      // mongo-java-server, the fallback of development, is no durable store: it may write down what it has confirmed.
      const isFallback = store === 'mongo' && chosenEngine(dataDir) === 'java'
      signal(processesOf(dataDir, store), isFallback ? 'SIGTERM' : 'SIGKILL')
    },
    async end() {
      const port = Number(new URL(url).port)
      const started = await startStores({ dataDir, only: [store], ports: { [store]: port }, log: () => undefined })
      keep(started)
      if (Number(new URL(started.urls[store]).port) !== port) throw new Error(`${store} came back on another port`)
    },
  }
}

/** A store that accepts connections and answers nothing. */
export function stopping(dataDir: string, store: StoreName): Outage {
  return {
    store,
    name: `${store} hangs`,
    begin: async () => signal(processesOf(dataDir, store), 'SIGSTOP'),
    end: async () => signal(processesOf(dataDir, store), 'SIGCONT'),
  }
}

function chosenEngine(dataDir: string): string {
  try {
    return readFileSync(join(dataDir, 'mongo', 'engine'), 'utf8')
  } catch {
    return ''
  }
}
