import { enumNames } from '@haat/kit/enum'
import type { Selectable, Transaction } from '@haat/kit/postgres'
import { money } from '@haat/money/money'
import { RateBasis, type RateTable } from '@haat/proto/shipping/v1/shipping'
import { sql } from 'kysely'
import type { Tariff } from '../domain/rates.ts'
import type { Database, RateTableRow } from './schema.ts'

export const rateBasis = enumNames(RateBasis)

type Row = Selectable<RateTableRow>

export const toTariff = (row: Row): Tariff => ({
  id: row.id,
  vendorId: row.vendor_id ?? undefined,
  label: row.label,
  carrier: row.carrier,
  serviceLevel: row.service_level,
  basis: row.basis,
  countries: row.countries,
  currency: row.currency,
  brackets: row.brackets.map(({ upTo, amount }) => ({ upTo: BigInt(upTo), amount: BigInt(amount) })),
  freeFrom: row.free_from ?? undefined,
  minDays: row.min_days,
  maxDays: row.max_days,
})

export const toRateTable = (row: Row): RateTable => ({
  id: row.id,
  vendorId: row.vendor_id ?? undefined,
  code: row.code,
  label: row.label,
  carrier: row.carrier,
  serviceLevel: row.service_level,
  basis: rateBasis.fromName(row.basis),
  countries: row.countries,
  currency: row.currency,
  brackets: row.brackets.map(({ upTo, amount }) => ({
    upTo: BigInt(upTo),
    amount: money(row.currency, BigInt(amount)),
  })),
  freeFrom: row.free_from === null ? undefined : money(row.currency, row.free_from),
  minDays: row.min_days,
  maxDays: row.max_days,
  isActive: row.is_active,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

/** Outdates all cached rates when the transaction commits. */
export const raiseRevision = (tx: Transaction<Database>) =>
  tx.updateTable('rate_revision').set({ revision: sql<bigint>`revision + 1` }).execute()
