import type { Call } from '@haat/kit/call'
import { type AppError, aborted, invalid } from '@haat/kit/errors'
import { emit } from '@haat/kit/events/emit'
import { newId } from '@haat/kit/id'
import { violatedConstraint } from '@haat/kit/postgres'
import { CommissionRulesChanged } from '@haat/proto/vendor/v1/events'
import type { SetCommissionRulesRequest, SetCommissionRulesResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { scopes, toRuleMessage } from '../db/commission.ts'
import { currencyOf, findProblem, lacksDefault, type Rule, type RuleProblem } from '../domain/commission.ts'
import { actorOf } from './access.ts'

export async function setCommissionRules(
  ctx: VendorContext,
  request: SetCommissionRulesRequest,
  call: Call,
): Promise<SetCommissionRulesResponse> {
  const version = request.expectedVersion + 1n
  const rules = request.rules.map(
    (rule, position): Rule => ({
      id: newId(),
      version,
      position,
      scope: scopes.toName(rule.scope),
      refId: rule.refId,
      percentBps: rule.percentBps,
      fixed: rule.fixed,
      min: rule.min,
      max: rule.max,
      note: rule.note,
    }),
  )
  const problem = findProblem(rules)
  if (problem) throw ruleInvalid(problem)
  if (lacksDefault(rules))
    throw invalid('commission_default_missing', 'the last rule must take every line, in every currency')
  await requireVendors(ctx, rules)
  try {
    await ctx.db.transaction().execute(async (tx) => {
      const { current } = await tx
        .selectFrom('commission_rule_sets')
        .select((eb) => eb.fn.max('version').as('current'))
        .executeTakeFirstOrThrow()
      if ((current ?? 0n) !== request.expectedVersion) throw versionConflict(current ?? 0n)
      await tx
        .insertInto('commission_rule_sets')
        .values({ version, created_by: actorOf(call), created_at: ctx.now() })
        .execute()
      await tx
        .insertInto('commission_rules')
        .values(
          rules.map((rule) => ({
            id: rule.id,
            version,
            position: rule.position,
            scope: rule.scope,
            ref_id: rule.refId ?? null,
            percent_bps: rule.percentBps,
            currency: currencyOf(rule) ?? null,
            fixed: rule.fixed?.minor ?? null,
            min: rule.min?.minor ?? null,
            max: rule.max?.minor ?? null,
            note: rule.note,
          })),
        )
        .execute()
      await emit(tx, CommissionRulesChanged, { ruleSet: 'platform', version, ruleCount: rules.length })
    })
  } catch (error) {
    // Somebody else's change committed between our look and our insert.
    if (violatedConstraint(error) === 'commission_rule_sets_pkey') throw versionConflict(version)
    throw error
  }
  return { version, rules: rules.map(toRuleMessage) }
}

/** A rule for a vendor that does not exist is a typing error that nobody would notice. */
async function requireVendors(ctx: VendorContext, rules: readonly Rule[]): Promise<void> {
  const wanted = new Set(rules.flatMap((rule) => (rule.scope === 'vendor' && rule.refId ? [rule.refId] : [])))
  if (wanted.size === 0) return
  const rows = await ctx.db
    .selectFrom('vendors')
    .select('id')
    .where('id', 'in', [...wanted])
    .execute()
  const known = new Set(rows.map((row) => row.id))
  const index = rules.findIndex((rule) => rule.scope === 'vendor' && !known.has(rule.refId!))
  if (index >= 0) throw ruleInvalid({ index, reason: 'vendor_unknown' })
}

const ruleInvalid = (problem: RuleProblem): AppError =>
  invalid('commission_rule_invalid', `rule ${problem.index}: ${problem.reason}`, { ...problem })

const versionConflict = (version: bigint): AppError =>
  aborted('commission_version_conflict', 'the rules changed meanwhile', { version: Number(version) })
