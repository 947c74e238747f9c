import type { Chassis } from '@haat/kit/service'
import { type AuthServiceClient, AuthServiceDefinition } from '@haat/proto/auth/v1/auth'
import type { Kysely } from 'kysely'
import type { VendorConfig } from './config.ts'
import { createRuleBook, type RuleBook } from './db/commission.ts'
import type { Database } from './db/schema.ts'
import { createFieldCipher, type FieldCipher } from './domain/field-cipher.ts'

export type VendorContext = {
  db: Kysely<Database>
  auth: Pick<AuthServiceClient, 'lookupUser'>
  now: () => Date
  /** Encrypts bank account numbers and KYC documents. */
  cipher: FieldCipher
  rules: RuleBook
  returnWindowDays: number
  bankChangeHoldHours: number
  /** Least payout in minor units, by currency. */
  payoutMinimums: ReadonlyMap<string, bigint>
}

export async function createContext(config: VendorConfig, chassis: Chassis): Promise<VendorContext> {
  const { db } = await chassis.postgres<Database>(new URL('../migrations/', import.meta.url))
  return {
    db,
    auth: chassis.connect<AuthServiceClient>(AuthServiceDefinition, config.AUTH_ADDR),
    now: () => new Date(),
    cipher: createFieldCipher(config.BANK_KEYS),
    rules: createRuleBook(db),
    returnWindowDays: config.RETURN_WINDOW_DAYS,
    bankChangeHoldHours: config.BANK_CHANGE_HOLD_HOURS,
    payoutMinimums: config.PAYOUT_MINIMUMS,
  }
}
