import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { restore, type Store, snapshot } from './store.ts'

export type StateFile = { save: () => Promise<void> }

/**
 * Loads what an earlier run left and returns `save`, which resolves once everything that preceded the call is on disk.
 * Writing aside and renaming keeps the file whole whenever the process dies.
 */
export function openStateFile(store: Store, path: string | undefined): StateFile {
  if (path === undefined) return { save: async () => {} }
  if (existsSync(path)) restore(store, readFileSync(path, 'utf8'))

  const write = async () => {
    await mkdir(dirname(path), { recursive: true })
    const aside = `${path}.${process.pid}.tmp`
    await writeFile(aside, snapshot(store))
    await rename(aside, path)
  }

  let writing: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined
  return {
    // Calls during a write share the one that follows it.
    save: () => {
      next ??= writing
        .catch(() => {})
        .then(() => {
          next = undefined
          writing = write()
          return writing
        })
      return next
    },
  }
}
