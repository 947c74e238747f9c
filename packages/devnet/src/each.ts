/** Works on all items, at most `atOnce` together; after a failure nothing new begins, and it is thrown. */
export async function each<Item>(
  items: Iterable<Item>,
  atOnce: number,
  work: (item: Item, index: number) => Promise<unknown>,
): Promise<void> {
  const queue = [...items].entries()
  let failed = false
  const hand = async () => {
    for (const [index, item] of queue) {
      if (failed) return
      try {
        await work(item, index)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, hand))
}
