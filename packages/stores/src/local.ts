import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { choosePort, releasePort } from './ports.ts'
import { reclaim, type ServerProcess } from './server-process.ts'

/** What every local starter gets. */
export type LocalContext = {
  dataDir: string
  durable: boolean
  wantedPort: number
  log: (line: string) => void
}

export type LocalServer = {
  name: string
  /** Resolves when a server on this port answers. */
  probe: (port: number) => Promise<void>
  start: (folder: string, port: number) => Promise<ServerProcess>
}

/** Shares or clears away what an earlier start left, then picks the folder and the port and starts; a lost race for the port is tried again. */
export async function startLocal(
  { dataDir, wantedPort, log }: LocalContext,
  { name, probe, start }: LocalServer,
): Promise<ServerProcess> {
  const shared = await reclaim(dataDir, name, probe, log)
  if (shared) return shared
  const folder = join(dataDir, name)
  mkdirSync(folder, { recursive: true })
  for (let attempt = 1; ; attempt++) {
    const port = await choosePort(wantedPort, name, log)
    try {
      return await start(folder, port)
    } catch (error) {
      if (attempt === 3 || !/in use|EADDRINUSE|BindException/i.test(String(error))) throw error
    } finally {
      releasePort(port)
    }
  }
}
