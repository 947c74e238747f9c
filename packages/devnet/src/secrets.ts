import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Secrets of one installation under `.data/`: made once, kept, never in the repository. */
export type Secrets = { get(name: string): string }

export function openSecrets(dataDir: string): Secrets {
  const file = join(dataDir, 'secrets.json')
  mkdirSync(dataDir, { recursive: true })
  const known: Record<string, string> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  return {
    get(name) {
      known[name] ??= randomBytes(32).toString('hex')
      writeFileSync(file, JSON.stringify(known, null, 2), { mode: 0o600 })
      return known[name]
    },
  }
}
