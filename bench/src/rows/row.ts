import type { Bench, Measured } from '../bench.ts'
import type { FloorName } from '../floors/floors.ts'
import type { Browser } from '../load/protocol.ts'
import type { Goods } from '../seed/goods.ts'
import type { World } from '../seed/seed.ts'

/** What a row must reach. */
export type Target =
  | { of: FloorName; atLeast: number; p99Below?: number }
  | { perSecond: number }
  | { p50Below: number; p99Below: number }
  | { below: number; unit: string }

/** The marketplace with what the rows ask of it, each made when the first row wants it. */
export type Market = World & {
  goods(): Promise<Goods[]>
  browsers(): Promise<Browser[]>
  storefrontPort: number
}

type Common = { name: string; target: Target }
/** `grows: false`: more data in the marketplace says nothing new about it. */
export type MarketRow = Common & {
  on: 'market'
  grows?: false
  measure(bench: Bench, market: Market, row: MarketRow): Promise<Measured>
}
/** Starts what it needs by itself, beside the stores of the run; no marketplace stands meanwhile. */
export type StoresRow = Common & { on: 'stores'; measure(bench: Bench, row: StoresRow): Promise<Measured> }
export type Row = MarketRow | StoresRow
