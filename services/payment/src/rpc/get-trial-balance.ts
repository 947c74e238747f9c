import type { GetTrialBalanceRequest, GetTrialBalanceResponse } from '@haat/proto/payment/v1/payment'
import type { PaymentContext } from '../context.ts'
import { listBalances } from '../db/ledger.ts'

export async function getTrialBalance(
  ctx: PaymentContext,
  request: GetTrialBalanceRequest,
): Promise<GetTrialBalanceResponse> {
  const lines = await listBalances(ctx.db, { before: request.asOf, byVendor: request.byVendor })
  const sums = new Map<string, bigint>()
  for (const { currency, balance } of lines) sums.set(currency, (sums.get(currency) ?? 0n) + balance)
  return {
    balances: lines.map(({ account, currency, balance, postings }) => ({
      account,
      balance: { currency, minor: balance },
      postings,
    })),
    sums: [...sums].map(([currency, minor]) => ({ currency, minor })),
  }
}
