/** What a spreadsheet would take for a formula; such cells travel with an apostrophe before them. */
const FORMULA = /^'*[=+\-@\t\r]/
const GUARDED = /^'+[=+\-@\t\r]/

/** A cell as it stands in a file: harmless in a spreadsheet, quoted where RFC 4180 wants it. */
export function writeCell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** The text of a cell that `writeCell` wrote, or of one that a person did. */
export const readCell = (cell: string): string => (GUARDED.test(cell) ? cell.slice(1) : cell)

export const writeRow = (cells: readonly string[]): string => `${cells.map(writeCell).join(',')}\r\n`

/** A list in one cell. */
export const LIST_SEPARATOR = '|'
export const splitList = (cell: string): string[] =>
  cell
    .split(LIST_SEPARATOR)
    .map((part) => part.trim())
    .filter(Boolean)
