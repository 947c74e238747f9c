/** The numbers of one SKU. */
export type Stock = { onHand: number; reserved: number; reorderPoint: number; safetyStock: number }

/** Units that can be sold now: max(0, on hand - reserved - safety stock). */
export const available = (stock: Pick<Stock, 'onHand' | 'reserved' | 'safetyStock'>): number =>
  Math.max(0, stock.onHand - stock.reserved - stock.safetyStock)

/** True when the unreserved units are at or below the reorder point. */
export const isLow = (stock: Pick<Stock, 'onHand' | 'reserved' | 'reorderPoint'>): boolean =>
  stock.onHand - stock.reserved <= stock.reorderPoint

/** True when this change made the level fall to the reorder point: the vendor is warned once per fall. */
export const fellLow = (before: Stock, after: Stock): boolean => !isLow(before) && isLow(after)

export type Line = { sku: string; qty: number }

/** Same SKUs with the same quantities, in any order. */
export const sameLines = (a: readonly Line[], b: readonly Line[]): boolean => linesKey(a) === linesKey(b)

/** Lines as one comparable text. */
export const linesKey = (lines: readonly Line[]): string =>
  lines
    .map((line) => `${line.sku}×${line.qty}`)
    .sort()
    .join(' ')

/** The SKU that occurs twice, if one does. */
export function duplicateSku(lines: readonly Line[]): string | undefined {
  const seen = new Set<string>()
  for (const { sku } of lines) {
    if (seen.has(sku)) return sku
    seen.add(sku)
  }
  return undefined
}
