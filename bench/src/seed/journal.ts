import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the data directory's marketplace holds, so that a second run begins where the first one ended. */
export type Journal = {
  products: number
  stocked: number
  customers: number
  orders: number
  /** Copies beside them. */
  oldOrders: number
  /** Up to where pages have been asked for as never seen ones. */
  cold: number
}

const nothing: Journal = { products: 0, stocked: 0, customers: 0, orders: 0, oldOrders: 0, cold: 0 }

export function openJournal(dataDir: string) {
  const file = join(dataDir, 'bench.json')
  const journal: Journal = { ...nothing, ...(existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}) }
  return {
    journal,
    save(changes: Partial<Journal>) {
      Object.assign(journal, changes)
      writeFileSync(file, JSON.stringify(journal))
    },
  }
}
