import { notFound } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import { money } from '@haat/money/money'
import type { AuthServiceClient } from '@haat/proto/auth/v1/auth'
import {
  OrderPaid,
  OrderRefunded,
  RefundedLine,
  RefundedVendorOrder,
  SoldLine,
  SoldVendorOrder,
  VendorOrderDelivered,
} from '@haat/proto/order/v1/events'
import {
  ApplyRequest,
  CommissionScope,
  KycDocStatus,
  KycDocType,
  type VendorServiceClient,
  VendorServiceDefinition,
  VendorStatus,
} from '@haat/proto/vendor/v1/vendor'
import { fake } from '@haat/testkit/fake'
import { startTestService } from '@haat/testkit/service'
import { customer, neighbour, staff, vendorMember } from '@haat/testkit/tokens'
import type { Kysely } from 'kysely'
import { loadConfig } from '../src/config.ts'
import type { VendorContext } from '../src/context.ts'
import type { Database } from '../src/db/schema.ts'
import { startVendor } from '../src/service.ts'

export const KEY_V1 = `v1:${'0a'.repeat(32)}`
export const KEY_V2 = `v2:${'0b'.repeat(32)}`
export const PDF = Buffer.from('%PDF-1.7\nwho I am')
export const IBAN = 'DE89370400440532013000'
export const DAY_MS = 86_400_000

export const bdt = (minor: number | bigint) => money('BDT', BigInt(minor))

/** A sold line; without delivery and discounts the vendor gets price less commission. */
export type Sold = { itemId?: string; net: number; commission?: number; ruleId?: string; ruleVersion?: bigint }

/** Vendor on its own database, with clients for the identities the tests need and a clock that can be put forward. */
export async function startHarness(options: { overrides?: Partial<VendorContext>; env?: Record<string, string> } = {}) {
  let aheadMs = 0
  const users = new Map<string, string>()
  const auth = fake<AuthServiceClient>('auth', {
    async lookupUser({ email }) {
      const id = users.get(email!.toLowerCase())
      if (!id) throw notFound('user_not_found', 'nobody has this e-mail address')
      return { user: { id, email } as never }
    },
  })
  const service = await startTestService({
    name: 'vendor',
    load: loadConfig,
    start: startVendor,
    migrations: new URL('../migrations/', import.meta.url),
    overrides: { auth, now: () => new Date(Date.now() + aheadMs), ...options.overrides },
    env: { BANK_KEYS: KEY_V1, ...options.env },
  })
  const as = (who?: Parameters<typeof service.as>[1]) => service.as<VendorServiceClient>(VendorServiceDefinition, who)
  const reviewer = as(await staff('vendors.read', 'vendors.review', 'vendors.write'))
  const approver = as(await staff('payouts.read', 'payouts.approve'))
  const db = service.database.db as unknown as Kysely<Database>
  let count = 0

  const applied = async () => {
    const person = await customer()
    const client = as(person)
    const { vendor } = await client.apply(application(`Shop ${++count}`))
    return { ...person, client, vendorId: vendor!.id }
  }
  const addAccount = async (client: VendorServiceClient, vendorId: string, more: { makeDefault?: boolean } = {}) => {
    const number = { $case: 'iban' as const, value: IBAN }
    const account = { vendorId, accountHolder: 'Rahim Uddin', number, bankName: 'Bank', routing: '', country: 'DE' }
    return (await client.addBankAccount({ ...account, makeDefault: false, ...more })).bankAccount!
  }
  const addDocument = async (client: VendorServiceClient, vendorId: string, content = PDF) => {
    const document = {
      vendorId,
      docType: KycDocType.PASSPORT,
      fileName: 'passport.pdf',
      contentType: 'application/pdf',
    }
    return (await client.addKycDocument({ ...document, content })).document!
  }
  /** Applied and with everything it needs to become active. */
  const ready = async () => {
    const applicant = await applied()
    const { client, vendorId } = applicant
    const document = await addDocument(client, vendorId)
    await reviewer.reviewKycDocument({ documentId: document.id, decision: KycDocStatus.ACCEPTED, reason: '' })
    const account = await addAccount(client, vendorId)
    await reviewer.verifyBankAccount({ bankAccountId: account.id, verified: true, reason: '' })
    return { ...applicant, bankAccountId: account.id, documentId: document.id }
  }
  /** An active vendor, and its owner with the token they have then. */
  const active = async () => {
    const before = await ready()
    await reviewer.setVendorStatus({ vendorId: before.vendorId, status: VendorStatus.ACTIVE, reason: 'welcome' })
    const owner = await vendorMember(before.vendorId, ['*'], before.userId)
    return { ...before, token: owner.token, client: as(owner) }
  }
  const setRules = async (...rules: Parameters<VendorServiceClient['setCommissionRules']>[0]['rules'] & object) => {
    const { version } = await reviewer.getCommissionRules({})
    return reviewer.setCommissionRules({ rules, expectedVersion: version })
  }
  const paid = async (
    vendorId: string,
    lines: Sold[],
    more: { delivery?: number; orderId?: string; id?: string } = {},
  ) => {
    const order = soldOrder(vendorId, lines, more)
    await service.publish(OrderPaid, order)
    return {
      order,
      orderId: order.orderId,
      vendorOrderId: order.vendorOrders[0]!.vendorOrderId,
      sold: order.vendorOrders[0]!,
    }
  }
  const delivered = (vendorId: string, sale: { orderId: string; vendorOrderId: string }, at = new Date()) =>
    service.publish(
      VendorOrderDelivered,
      VendorOrderDelivered.fromPartial({ ...sale, vendorId, orderNo: 'HAAT-1', deliveredAt: at }),
    )
  const refunded = (vendorId: string, sale: { orderId: string; vendorOrderId: string }, lines: Sold[], delivery = 0) =>
    service.publish(OrderRefunded, refundOrder(vendorId, sale, lines, delivery))

  return {
    ...service,
    service,
    as,
    anyone: as(),
    reviewer,
    approver,
    users,
    order: as(await neighbour('order')),
    db,
    applied,
    ready,
    active,
    addAccount,
    addDocument,
    setRules,
    paid,
    delivered,
    refunded,
    /** Puts the service's clock forward. */
    pass(ms: number) {
      aheadMs += ms
    },
    /** Sold, delivered and past the return window: written as the events leave it, which earnings.test.ts shows. */
    async earned(vendorId: string, net: number) {
      const sale = { orderId: newId(), vendorOrderId: newId(), itemId: newId() }
      const order = {
        vendor_order_id: sale.vendorOrderId,
        vendor_id: vendorId,
        order_id: sale.orderId,
        order_no: 'HAAT-1',
      }
      const past = new Date(0)
      const dates = { delivered_at: past, eligible_at: past, settled_at: past }
      await db
        .insertInto('vendor_order_sales')
        .values({ ...order, ...dates, net: BigInt(net), currency: 'BDT' })
        .execute()
      await db
        .insertInto('vendor_earnings')
        .values({
          ...order,
          id: newId(),
          type: 'sale',
          status: 'eligible',
          order_item_id: sale.itemId,
          reference: sale.orderId,
          gross: BigInt(net),
          commission: 0n,
          net: BigInt(net),
          currency: 'BDT',
          rule_id: null,
          rule_version: null,
          eligible_at: past,
          payout_id: null,
        })
        .execute()
      return sale
    },
    async balance(client: VendorServiceClient, vendorId: string) {
      const { balances } = await client.getBalance({ vendorId })
      const it = balances.find((balance) => balance.currency === 'BDT')
      return (
        it && {
          pending: it.pending!.minor,
          available: it.available!.minor,
          inPayout: it.inPayout!.minor,
          paid: it.paid!.minor,
        }
      )
    },
  }
}

export type Harness = Awaited<ReturnType<typeof startHarness>>

export const application = (name: string, more: Partial<ApplyRequest> = {}): ApplyRequest => ({
  ...ApplyRequest.fromPartial({
    name,
    description: 'We sell things.',
    supportEmail: 'help@shop.example',
    supportPhone: '+8801711111111',
    defaultCurrency: 'BDT',
    shipsFrom: { country: 'BD', postalCode: '1207' },
  }),
  ...more,
})

export const defaultRule = (percentBps = 1_000) => ({ scope: CommissionScope.DEFAULT, percentBps })

export function soldOrder(
  vendorId: string,
  lines: Sold[],
  more: { delivery?: number; orderId?: string; id?: string } = {},
): OrderPaid {
  const delivery = more.delivery ?? 0
  const vendorOrder = SoldVendorOrder.fromPartial({
    vendorOrderId: more.id ?? newId(),
    vendorId,
    lines: lines.map((line) =>
      SoldLine.fromPartial({
        orderItemId: line.itemId ?? newId(),
        sku: 'SKU-1',
        title: 'Thing',
        qty: 1,
        total: bdt(line.net + (line.commission ?? 0)),
        commission: bdt(line.commission ?? 0),
        commissionRuleId: line.ruleId ?? '',
        commissionRuleVersion: line.ruleVersion ?? 0n,
        vendorNet: bdt(line.net),
      }),
    ),
    delivery: { total: bdt(delivery) },
    commission: bdt(lines.reduce((sum, line) => sum + (line.commission ?? 0), 0)),
    vendorNet: bdt(lines.reduce((sum, line) => sum + line.net, delivery)),
  })
  return OrderPaid.fromPartial({ orderId: more.orderId ?? newId(), orderNo: 'HAAT-1', vendorOrders: [vendorOrder] })
}

export function refundOrder(
  vendorId: string,
  sale: { orderId: string; vendorOrderId: string },
  lines: Sold[],
  delivery = 0,
): OrderRefunded {
  const vendorOrder = RefundedVendorOrder.fromPartial({
    vendorOrderId: sale.vendorOrderId,
    vendorId,
    lines: lines.map((line) =>
      RefundedLine.fromPartial({
        orderItemId: line.itemId ?? newId(),
        sku: 'SKU-1',
        qty: 1,
        amount: bdt(line.net + (line.commission ?? 0)),
        commission: bdt(line.commission ?? 0),
        vendorNet: bdt(line.net),
      }),
    ),
    shipping: bdt(delivery),
    commission: bdt(lines.reduce((sum, line) => sum + (line.commission ?? 0), 0)),
    vendorNet: bdt(lines.reduce((sum, line) => sum + line.net, delivery)),
  })
  return OrderRefunded.fromPartial({
    refundId: newId(),
    orderId: sale.orderId,
    orderNo: 'HAAT-1',
    vendorOrders: [vendorOrder],
    amount: bdt(0),
  })
}
