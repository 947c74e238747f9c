import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

/** What of the demo marketplace is there already; a seed that was cut off goes on behind it. */
export type Journal = {
  has(step: string): boolean
  add(step: string): void
  /** Numbers of the orders by the plan's index. */
  orders: Map<number, string>
  setOrder(index: number, orderNo: string): void
}

export function openJournal(file: string): Journal {
  const kept: { done: string[]; orders: [number, string][] } = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : { done: [], orders: [] }
  const done = new Set(kept.done)
  const orders = new Map(kept.orders)
  const save = () => {
    writeFileSync(`${file}.part`, JSON.stringify({ done: [...done], orders: [...orders] }))
    renameSync(`${file}.part`, file)
  }
  return {
    orders,
    has: (step) => done.has(step),
    add(step) {
      done.add(step)
      save()
    },
    setOrder(index, orderNo) {
      orders.set(index, orderNo)
      save()
    },
  }
}
