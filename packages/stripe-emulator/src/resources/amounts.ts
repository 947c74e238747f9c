import { integer, type Param } from '../http/params.ts'
import { invalidRequest } from '../http/stripe-error.ts'

const maximum = 99_999_999
/** Stripe's smallest charge, where it is not a single unit. */
const minimum: Record<string, number> = {
  usd: 50,
  eur: 50,
  gbp: 30,
  aud: 50,
  cad: 50,
  chf: 50,
  sgd: 50,
  jpy: 50,
  inr: 50,
}

export function amount(): Param<number> {
  return integer({ min: 1 })
}

export function assertChargeable(minor: number, currency: string): void {
  const least = minimum[currency] ?? 1
  if (minor < least) {
    throw invalidRequest(`Amount must be at least ${show(least, currency)}`, {
      code: 'amount_too_small',
      param: 'amount',
    })
  }
  if (minor > maximum) {
    throw invalidRequest(`Amount must be no more than ${show(maximum, currency)}`, {
      code: 'amount_too_large',
      param: 'amount',
    })
  }
}

/** For error messages only. */
export function show(minor: number, currency: string): string {
  const format = new Intl.NumberFormat('en-US', { style: 'currency', currency })
  return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2))
}
