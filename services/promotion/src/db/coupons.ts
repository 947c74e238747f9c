import { enumNames } from '@haat/kit/enum'
import { newId } from '@haat/kit/id'
import type { Selectable, Transaction } from '@haat/kit/postgres'
import type { Money } from '@haat/proto/common/v1/common'
import {
  type CouponScope,
  CouponType,
  FundedBy,
  type Coupon as Message,
  ScopeType,
} from '@haat/proto/promotion/v1/promotion'
import type { Kysely } from 'kysely'
import type { Coupon, Scope } from '../domain/coupon.ts'
import type { CouponRow, Database } from './schema.ts'

export const couponType = enumNames(CouponType)
export const fundedBy = enumNames(FundedBy)
const scopeType = enumNames(ScopeType)

type Row = Selectable<CouponRow>
/** A coupon's row with its scopes. */
export type StoredCoupon = Row & { scopes: Scope[] }

export async function withScopes(db: Kysely<Database>, rows: Row[]): Promise<StoredCoupon[]> {
  const scopes = rows.length
    ? await db
        .selectFrom('coupon_scopes')
        .selectAll()
        .where(
          'coupon_id',
          'in',
          rows.map((row) => row.id),
        )
        .orderBy('scope_type')
        .orderBy('ref_id')
        .execute()
    : []
  return rows.map((row) => ({
    ...row,
    scopes: scopes.flatMap((s) => (s.coupon_id === row.id ? [{ type: s.scope_type, refId: s.ref_id }] : [])),
  }))
}

/** A person's held and redeemed usages by coupon; nobody has none. */
export async function findUses(
  db: Kysely<Database>,
  couponIds: string[],
  userId: string | undefined,
): Promise<Map<string, number>> {
  if (!userId || couponIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('coupon_user_counts')
    .select(['coupon_id', 'uses'])
    .where('coupon_id', 'in', couponIds)
    .where('user_id', '=', userId)
    .execute()
  return new Map(rows.map((row) => [row.coupon_id, row.uses]))
}

/** Writes a coupon's scopes; each pair once. */
export async function insertScopes(
  tx: Transaction<Database>,
  couponId: string,
  scopes: readonly Scope[],
): Promise<void> {
  if (scopes.length === 0) return
  await tx
    .insertInto('coupon_scopes')
    .values(scopes.map((scope) => ({ id: newId(), coupon_id: couponId, scope_type: scope.type, ref_id: scope.refId })))
    .onConflict((c) => c.doNothing())
    .execute()
}

export const fromScopes = (scopes: readonly CouponScope[]): Scope[] =>
  scopes.map((scope) => ({ type: scopeType.toName(scope.type), refId: scope.refId.toLowerCase() }))

export const toDomain = (row: StoredCoupon): Coupon => ({
  id: row.id,
  code: row.code,
  type: row.type,
  value: row.value,
  currency: row.currency ?? undefined,
  minOrderAmount: row.min_order_amount ?? undefined,
  maxDiscount: row.max_discount ?? undefined,
  startsAt: row.starts_at ?? undefined,
  endsAt: row.ends_at ?? undefined,
  usageLimit: row.usage_limit ?? undefined,
  perUserLimit: row.per_user_limit ?? undefined,
  fundedBy: row.funded_by,
  vendorId: row.vendor_id ?? undefined,
  stackable: row.stackable,
  isActive: row.is_active,
  scopes: row.scopes,
  uses: row.held_count + row.redeemed_count,
})

export function toCoupon(row: StoredCoupon): Message {
  const amount = (minor: bigint | null): Money | undefined =>
    minor === null ? undefined : { currency: row.currency ?? '', minor }
  return {
    id: row.id,
    code: row.code,
    description: row.description,
    type: couponType.fromName(row.type),
    percentBps: row.type === 'percent' ? Number(row.value) : 0,
    amount: row.type === 'fixed' ? amount(row.value) : undefined,
    currency: row.currency ?? '',
    minOrderAmount: amount(row.min_order_amount),
    maxDiscount: amount(row.max_discount),
    startsAt: row.starts_at ?? undefined,
    endsAt: row.ends_at ?? undefined,
    usageLimit: row.usage_limit ?? undefined,
    perUserLimit: row.per_user_limit ?? undefined,
    fundedBy: fundedBy.fromName(row.funded_by),
    vendorId: row.vendor_id ?? undefined,
    stackable: row.stackable,
    scopes: row.scopes.map((scope) => ({ type: scopeType.fromName(scope.type), refId: scope.refId })),
    isActive: row.is_active,
    heldCount: row.held_count,
    redeemedCount: row.redeemed_count,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
