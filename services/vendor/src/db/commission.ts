import { enumNames } from '@haat/kit/enum'
import type { Selectable } from '@haat/kit/postgres'
import { type Money, money } from '@haat/money/money'
import { CommissionScope, CommissionType, type CommissionRule as RuleMessage } from '@haat/proto/vendor/v1/vendor'
import type { Kysely } from 'kysely'
import { createMatcher, type Matcher, type Rule, vendorDefault } from '../domain/commission.ts'
import type { CommissionRulesTable, Database } from './schema.ts'

export const scopes = enumNames(CommissionScope)

export type RuleSet = { version: bigint; rules: readonly Rule[]; match: Matcher; createdAt?: Date; createdBy: string }

/** The lists of commission rules. A version never changes, so only its number is asked for again. */
export type RuleBook = {
  /** The rules in force; version 0 without rules before the first were set. */
  current(): Promise<RuleSet>
  /** The rules of one version; undefined when there is none. */
  find(version: bigint): Promise<RuleSet | undefined>
}

const KEPT_VERSIONS = 20
const none: RuleSet = { version: 0n, rules: [], match: () => undefined, createdBy: '' }

export function createRuleBook(db: Kysely<Database>): RuleBook {
  const known = new Map<bigint, RuleSet>()
  const find = async (version: bigint): Promise<RuleSet | undefined> => {
    const cached = known.get(version)
    if (cached) return cached
    const head = await db
      .selectFrom('commission_rule_sets')
      .selectAll()
      .where('version', '=', version)
      .executeTakeFirst()
    if (!head) return undefined
    const rows = await db
      .selectFrom('commission_rules')
      .selectAll()
      .where('version', '=', version)
      .orderBy('position')
      .execute()
    const rules = rows.map(toRule)
    const set: RuleSet = {
      version,
      rules,
      match: createMatcher(rules),
      createdAt: head.created_at,
      createdBy: head.created_by,
    }
    if (known.size >= KEPT_VERSIONS) known.delete(known.keys().next().value!)
    known.set(version, set)
    return set
  }
  return {
    find,
    async current() {
      const { version } = await db
        .selectFrom('commission_rule_sets')
        .select((eb) => eb.fn.max('version').as('version'))
        .executeTakeFirstOrThrow()
      return version === null ? none : ((await find(version)) ?? none)
    },
  }
}

export function toRule(row: Selectable<CommissionRulesTable>): Rule {
  const amount = (minor: bigint | null): Money | undefined => (minor === null ? undefined : money(row.currency!, minor))
  return {
    id: row.id,
    version: row.version,
    position: row.position,
    scope: row.scope,
    refId: row.ref_id ?? undefined,
    percentBps: row.percent_bps,
    fixed: amount(row.fixed),
    min: amount(row.min),
    max: amount(row.max),
    note: row.note,
  }
}

export const toRuleMessage = (rule: Rule): RuleMessage => ({
  id: rule.id,
  version: rule.version,
  position: rule.position,
  scope: scopes.fromName(rule.scope),
  refId: rule.refId,
  percentBps: rule.percentBps,
  fixed: rule.fixed,
  min: rule.min,
  max: rule.max,
  note: rule.note,
})

/** What a vendor pays when no category or product rule says otherwise. */
export function ownCommission(
  set: RuleSet,
  vendorId: string,
  currency: string,
): { commissionType: CommissionType; commissionValue: bigint } {
  const rule = vendorDefault(set.rules, vendorId, currency)
  if (!rule) return { commissionType: CommissionType.UNSPECIFIED, commissionValue: 0n }
  if (rule.percentBps === 0 && rule.fixed)
    return { commissionType: CommissionType.FIXED, commissionValue: rule.fixed.minor }
  return { commissionType: CommissionType.PERCENT, commissionValue: BigInt(rule.percentBps) }
}
