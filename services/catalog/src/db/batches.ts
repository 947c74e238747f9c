const AT_ONCE = 16

/** Runs `work` for every item, a few at a time. */
export async function eachAtOnce<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const queue = [...items]
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, queue.length) }, worker))
}

/** As many items from the front as have together at most this size, but at least one. */
export function fitting<Item>(items: readonly Item[], maxBytes: number, sizeOf: (item: Item) => number): Item[] {
  let total = 0
  const count = items.findIndex((item) => {
    total += sizeOf(item)
    return total > maxBytes
  })
  return count < 0 ? [...items] : items.slice(0, Math.max(1, count))
}
