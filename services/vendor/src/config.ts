import { address, broker, defineConfig, grpcServer, int, postgres, text } from '@haat/kit/config'
import { parseKeys } from './domain/field-cipher.ts'
import { parseMinimums } from './domain/payouts.ts'

export const loadConfig = defineConfig('vendor', {
  ...grpcServer,
  ...postgres,
  ...broker,
  AUTH_ADDR: address('auth'),
  /** Keys of bank account numbers and KYC documents, newest first: `v2:<64 hex digits>,v1:<64 hex digits>`. */
  BANK_KEYS: text().transform((list, issues) => {
    try {
      return parseKeys(list)
    } catch (error) {
      issues.addIssue({ code: 'custom', message: (error as Error).message })
      return []
    }
  }),
  /** Days after delivery in which goods may come back; then the earning is eligible. */
  RETURN_WINDOW_DAYS: int(14),
  /** How long payouts rest after the bank account that receives them has changed. */
  BANK_CHANGE_HOLD_HOURS: int(72),
  /** The least a payout may be, in minor units by currency: `BDT:50000,USD:1000`. A currency that is not named has no minimum. */
  PAYOUT_MINIMUMS: text()
    .default('')
    .transform((list, issues) => {
      try {
        return parseMinimums(list)
      } catch (error) {
        issues.addIssue({ code: 'custom', message: (error as Error).message })
        return new Map<string, bigint>()
      }
    }),
})

export type VendorConfig = ReturnType<typeof loadConfig>
