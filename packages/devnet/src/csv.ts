import { type AdminClient, ok } from '@haat/client'
import { patient } from './patient.ts'

/** A row of a catalogue with the line of the file it came from. */
export type CatalogRow = { line: number; cells: string[] }
export type RowError = { line: number; sku: string; column: string; code: string; message: string }
export type Imported = { created: number; updated: number; unchanged: number; failed: number; errors: RowError[] }

const PART_ROWS = 400

export const writeCsv = (rows: readonly (readonly string[])[]): string =>
  rows
    .map(
      (row) => `${row.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\n`,
    )
    .join('')

/**
 * Imports and publishes a catalogue through the admin API in parts, so that progress can be told and a large file never meets
 * the limit of one upload. `groups` holds each product's rows.
 */
export async function importCatalog(
  admin: AdminClient,
  header: readonly string[],
  groups: readonly (readonly CatalogRow[])[],
  options: { dryRun?: boolean; onProgress?: (products: number) => void } = {},
): Promise<Imported> {
  const total: Imported = { created: 0, updated: 0, unchanged: 0, failed: 0, errors: [] }
  for (let at = 0; at < groups.length; ) {
    const rows: CatalogRow[] = []
    while (at < groups.length && (rows.length === 0 || rows.length + groups[at]!.length <= PART_ROWS))
      rows.push(...groups[at++]!)
    const { summary, errors } = await patient(() =>
      ok(
        admin.POST('/v1/admin/products/import', {
          params: { query: { publish: 'true', dry_run: String(options.dryRun ?? false) } },
          headers: { 'content-type': 'text/csv' },
          body: writeCsv([header, ...rows.map(({ cells }) => cells)]),
          bodySerializer: (text: unknown) => text as string,
        }),
      ),
    )
    const lineOf = lineMap(header, rows)
    total.created += summary.productsCreated
    total.updated += summary.productsUpdated
    total.unchanged += summary.productsUnchanged
    total.failed += summary.productsFailed
    total.errors.push(
      ...errors.map(({ line, sku, column, code, message }) => ({ line: lineOf(line), sku, column, code, message })),
    )
    options.onProgress?.(at)
  }
  return total
}

/** From a line of a part to the line of the file; a row may take several lines. */
function lineMap(header: readonly string[], rows: readonly CatalogRow[]): (line: number) => number {
  const lines = new Map<number, number>()
  let line = 1 + linesOf(header)
  for (const row of rows) {
    lines.set(line, row.line)
    line += linesOf(row.cells)
  }
  return (partLine) => lines.get(partLine) ?? partLine
}

const linesOf = (cells: readonly string[]) => cells.reduce((sum, cell) => sum + cell.split('\n').length - 1, 1)
