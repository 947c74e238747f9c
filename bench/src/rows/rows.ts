import { cartRows } from './carts.ts'
import { listRows } from './lists.ts'
import { pageRows } from './pages.ts'
import type { Row } from './row.ts'

/** Every row, in the order of measuring. */
export const rows: Row[] = [...pageRows, ...listRows, ...cartRows]
