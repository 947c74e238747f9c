/** An exact amount: `minor` counts the currency's smallest unit. The same shape as haat.common.v1.Money. */
export type Money = { currency: string; minor: bigint }

export class CurrencyMismatch extends Error {
  override readonly name = 'CurrencyMismatch'
  constructor(left: string, right: string) {
    super(`amounts in ${left} and ${right} do not combine`)
  }
}

const int64Max = 2n ** 63n - 1n
const int64Min = -(2n ** 63n)

/** Every amount is made here, so that none leaves the range of the int64 it travels and is stored in. */
export function money(currency: string, minor: bigint): Money {
  if (!/^[A-Z]{3}$/.test(currency)) throw new RangeError(`not an ISO 4217 code: ${JSON.stringify(currency)}`)
  if (minor > int64Max || minor < int64Min) throw new RangeError(`${minor} minor units do not fit in an int64`)
  return { currency, minor }
}

export function zero(currency: string): Money {
  return money(currency, 0n)
}

export function assertSameCurrency(left: Money, right: Money): void {
  if (left.currency !== right.currency) throw new CurrencyMismatch(left.currency, right.currency)
}
