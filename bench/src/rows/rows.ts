import { cartRows } from './carts.ts'
import { eventRows } from './events.ts'
import { importRows } from './import.ts'
import { listRows } from './lists.ts'
import { orderRows } from './orders.ts'
import { pageRows } from './pages.ts'
import { restRows } from './rest.ts'
import type { Row } from './row.ts'

/** Every row, in the order of measuring. */
export const rows: Row[] = [
  ...pageRows,
  ...listRows,
  ...cartRows,
  ...orderRows,
  ...importRows,
  ...eventRows,
  ...restRows,
]
