import { randomUUID } from 'node:crypto'
import type { Rule } from '@haat/kit/descriptors'
import { ADDRESS } from '../../actors.ts'
import { PASSWORD } from '../market.ts'
import type { Credentials, Rpcs } from '../rpcs.ts'
import { bearers, customers, free, type Line, shared, vendors } from './lines.ts'
import { rateTableOf, templateOf, type World } from './worlds.ts'

/** A role without permissions, which anybody with users.write may give. */
export const PLAIN_ROLE = 'plain'

let count = 0
const fresh = (word: string) => `${word}-${++count}`
const key = () => randomUUID()
const address = { ...ADDRESS, line2: '', state: '' }
const destination = { country: 'BD', postalCode: '1205' }
const content = { title: 'Changed', description: 'Changed.', variants: [] }
const bdt = (minor: number) => ({ currency: 'BDT', minor: BigInt(minor) })
const zero = bdt(0)
const allocation = (of: World) => ({
  vendorOrderId: of.vendorOrderId,
  vendorId: of.vendorId,
  goods: bdt(1),
  shipping: zero,
  vendorFundedDiscount: zero,
  platformFundedDiscount: zero,
  tax: zero,
  commission: zero,
  charged: bdt(1),
  vendorNet: bdt(1),
})
const inner = (rule: Partial<Rule>): Rule => ({
  public: false,
  authenticated: false,
  service: false,
  roles: [],
  permissions: [],
  vendor: undefined,
  ...rule,
})

/** Every RPC's lines. An RPC that is missing here fails the drill. */
export function rpcLines(rpcs: Rpcs, staff: Credentials, sellerOf: (of: World) => Credentials) {
  const seen = { also: ['catalog.read', 'catalog.review', 'catalog.write'], services: true }
  const make = (name: string, request: object, who: Credentials = staff) => rpcs.ask(name, request, who)
  const guestCart = (more: Parameters<typeof bearers>[1] = {}) => bearers('cartToken', { renew: newCart, ...more })
  const lists = (more: Parameters<typeof vendors>[1] = {}) => vendors('vendorId', { absent: 'same', ...more })

  const table: Record<string, Line | Line[]> = {
    'auth.Register': free(() => ({ email: `${fresh('new')}@example.com`, password: PASSWORD, name: 'New' })),
    'auth.Login': free(() => ({ email: `${fresh('unknown')}@example.com`, password: PASSWORD })),
    'auth.Refresh': free(() => ({ refreshToken: 'no-such-token' })),
    'auth.Logout': free(() => ({ refreshToken: 'no-such-token' })),
    'auth.ForgotPassword': free(() => ({ email: `${fresh('unknown')}@example.com` })),
    'auth.ResetPassword': free(() => ({ token: 'no-such-token', newPassword: PASSWORD })),
    'auth.ChangePassword': free(() => ({ currentPassword: 'a-wrong-password', newPassword: `${PASSWORD}-2` })),
    'auth.VerifyEmail': free(() => ({ token: 'no-such-token' })),
    'auth.RequestEmailVerification': free(),
    'auth.ListSessions': free(),
    'auth.RevokeSession': customers('sessionId', {
      async renew(of) {
        const { tokens } = await make('auth.Login', { email: of.email, password: PASSWORD }, {})
        return { sessionId: tokens.sessionId }
      },
    }),
    'auth.GetMe': free(),
    'auth.GetUser': shared('userId'),
    'auth.BatchGetUsers': shared('userId', { absent: 'same', request: (of) => ({ userIds: [of.userId] }) }),
    'auth.LookupUser': shared('email'),
    'auth.ListUsers': free(),
    'auth.SetUserStatus': shared('userId', {
      request: (of) => ({ userId: of.userId, status: 1, reason: 'as it was' }),
    }),
    'auth.AssignRole': shared('userId', { request: (of) => ({ userId: of.userId, role: PLAIN_ROLE }) }),
    'auth.RevokeRole': shared('userId', { request: (of) => ({ userId: of.userId, role: PLAIN_ROLE }) }),
    'auth.ListRoles': free(),
    'auth.UpsertRole': free(() => ({ name: 'made_by_the_matrix', permissions: ['users.read'] })),
    'auth.CreateServiceAccount': free(() => ({ name: fresh('account'), permissions: [] })),
    'auth.ListServiceAccounts': free(),
    'auth.RevokeServiceAccount': shared('serviceAccountId', {
      async renew() {
        const { serviceAccount } = await make('auth.CreateServiceAccount', { name: fresh('spare'), permissions: [] })
        return { serviceAccountId: serviceAccount.id }
      },
    }),
    'auth.IssueServiceToken': free(() => ({ clientId: 'nobody', clientSecret: 'wrong' })),
    'auth.GetJwks': free(),

    'cart.GetCart': guestCart(),
    'cart.AddItem': guestCart({ request: (of) => ({ cartToken: of.cartToken, sku: 'GOODS-A', qty: 1 }) }),
    'cart.UpdateItem': guestCart({
      request: (of) => ({ cartToken: of.cartToken, sku: 'GOODS-A', qty: 2 }),
    }),
    'cart.RemoveItem': guestCart({ request: (of) => ({ cartToken: of.cartToken, sku: 'OTHER' }) }),
    'cart.ApplyCoupon': guestCart({ request: (of) => ({ cartToken: of.cartToken, code: 'NOPE' }) }),
    'cart.RemoveCoupon': guestCart(),
    'cart.MergeCart': shared('cartToken', { absent: 'same', renew: newCart }),
    'cart.ClearCart': guestCart(),
    'cart.Summarize': guestCart({ request: (of) => ({ cartToken: of.cartToken, destination }) }),
    'cart.SummarizeForUser': free((of) => ({ userId: of.userId, destination })),
    'cart.ReorderFrom': customers('orderNo'),

    'catalog.ListCategories': free(),
    'catalog.CreateCategory': free(() => ({ name: fresh('Category') })),
    'catalog.UpdateCategory': shared('categoryId', { request: (of) => ({ categoryId: of.categoryId, sortOrder: 1 }) }),
    'catalog.ListBrands': free(),
    'catalog.CreateBrand': free(() => ({ name: fresh('Brand') })),
    'catalog.UpdateBrand': shared('brandId', { request: (of) => ({ brandId: of.brandId, isActive: true }) }),
    'catalog.CreateProduct': vendors('vendorId', {
      request: (of) => ({ vendorId: of.vendorId, content: { ...content, title: fresh('Made') } }),
    }),
    'catalog.UpdateProduct': vendors('draftId', {
      request: (of) => ({ productId: of.draftId, expectedVersion: 1n, content }),
    }),
    'catalog.SubmitProduct': vendors('draftId', { request: (of) => ({ productId: of.draftId }) }),
    'catalog.ApproveProduct': shared('draftId', { request: (of) => ({ productId: of.draftId }) }),
    'catalog.RejectProduct': shared('draftId', { request: (of) => ({ productId: of.draftId, reason: 'no' }) }),
    'catalog.GetProduct': [
      vendors('draftId', { ...seen, request: (of) => ({ productId: of.draftId }) }),
      shared('productId'),
    ],
    'catalog.GetProductBySlug': [
      vendors('draftSlug', { ...seen, request: (of) => ({ slug: of.draftSlug }) }),
      shared('slug'),
    ],
    'catalog.BatchGetProductsBySlug': vendors('draftSlug', {
      ...seen,
      absent: 'same',
      request: (of) => ({ slugs: [of.draftSlug] }),
    }),
    'catalog.BatchGetProducts': vendors('draftId', {
      ...seen,
      absent: 'same',
      request: (of) => ({ productIds: [of.draftId] }),
    }),
    'catalog.ListProducts': free((of) => ({ vendorId: of.vendorId })),
    'catalog.ListVendorProducts': lists(),
    'catalog.ListProductSnapshots': free(),
    'catalog.BatchGetVariants': vendors('draftSku', {
      ...seen,
      absent: 'same',
      request: (of) => ({ skus: [of.draftSku] }),
    }),
    'catalog.ListOffers': free(() => ({ barcode: '4006381333931' })),
    'catalog.SetPrice': vendors('draftSku', { request: (of) => ({ sku: of.draftSku, price: bdt(88_800) }) }),
    'catalog.ListPriceHistory': vendors('draftSku', { request: (of) => ({ sku: of.draftSku }) }),
    'catalog.ListChangeRequests': [lists(), vendors('productId', { absent: 'same' })],
    'catalog.ListApprovals': free(),
    'catalog.CreateUpload': [
      free(() => ({ purpose: 4, fileName: 'a.png', contentType: 'image/png', sizeBytes: 100 })),
      vendors('draftId', {
        inner: inner({ permissions: ['catalog.write'], vendor: { field: '', permission: 'catalog.write' } }),
        request: (of, me) => ({
          purpose: 1,
          fileName: 'a.png',
          contentType: 'image/png',
          sizeBytes: 100,
          productId: of.draftId,
          ...(me.vendorId ? {} : { vendorId: of.vendorId }),
        }),
      }),
    ],
    'catalog.CompleteUpload': customers('uploadId'),
    'catalog.BatchGetMedia': free(() => ({ imageIds: [randomUUID()] })),
    'catalog.ImportProducts': vendors('vendorId', {
      request: (of) => ({ part: { $case: 'options', value: { vendorId: of.vendorId, dryRun: true } } }),
    }),
    'catalog.ExportProducts': lists(),
    'catalog.ArchiveProduct': vendors('draftId', { request: (of) => ({ productId: of.draftId }) }),

    'inventory.GetStock': shared('sku'),
    'inventory.BatchGetStock': shared('sku', { absent: 'same', request: (of) => ({ skus: [of.sku] }) }),
    'inventory.ListStock': [lists(), vendors('sku', { absent: 'same', request: (of) => ({ skus: [of.sku] }) })],
    'inventory.ListLowStock': lists(),
    'inventory.SetStock': [
      vendors('vendorId', {
        request: (of) => ({ vendorId: of.vendorId, sku: of.sku, productId: of.productId, onHand: 500 }),
      }),
      vendors('sku', {
        request: (of, me) => ({
          vendorId: me.vendorId ?? of.vendorId,
          sku: of.sku,
          productId: of.productId,
          onHand: 500,
        }),
      }),
    ],
    'inventory.AdjustStock': [
      vendors('vendorId', { request: (of) => ({ vendorId: of.vendorId, sku: of.sku, delta: 1, reason: 4 }) }),
      vendors('sku', {
        request: (of, me) => ({ vendorId: me.vendorId ?? of.vendorId, sku: of.sku, delta: 1, reason: 4 }),
      }),
    ],
    'inventory.Reserve': free((of) => ({ orderId: randomUUID(), lines: [{ sku: of.sku, qty: 1 }], ttlSeconds: 60 })),
    'inventory.Extend': shared('unpaidOrderId', { request: (of) => ({ orderId: of.unpaidOrderId, ttlSeconds: 60 }) }),
    'inventory.Commit': shared('orderId'),
    'inventory.Release': shared('orderId', { absent: 'same', request: (of) => ({ orderId: of.orderId, reason: 2 }) }),
    'inventory.Restock': shared('sku', {
      request: (of) => ({ reference: randomUUID(), orderId: of.orderId, lines: [{ sku: of.sku, qty: 1 }], reason: 2 }),
    }),
    'inventory.ListMovements': [lists(), vendors('sku', { absent: 'same' })],
    'inventory.VerifyStock': [lists(), vendors('sku', { absent: 'same' })],

    'notification.Send': shared('userId', {
      request: (of) => ({
        templateKey: 'world_a',
        channel: 1,
        to: { $case: 'userId', value: of.userId },
        dedupeKey: key(),
      }),
    }),
    'notification.UpsertTemplate': free(() => templateOf('made_by_the_matrix')),
    'notification.ListTemplates': free(),
    'notification.DeleteTemplate': shared('templateKey', {
      request: (of) => ({ key: of.templateKey, channel: 1, locale: 'en' }),
      async renew() {
        const templateKey = `spare_${++count}`
        await make('notification.UpsertTemplate', templateOf(templateKey))
        return { templateKey }
      },
    }),
    'notification.PreviewTemplate': free(() => ({
      source: { $case: 'draft', value: { channel: 1, subject: 'Hello', bodyMd: 'Hello.' } },
      locale: 'en',
    })),
    'notification.ListMessages': free(),
    'notification.GetMessage': shared('messageId'),
    'notification.RetryMessage': shared('messageId'),
    'notification.GetPreferences': free(),
    'notification.SetPreferences': free(() => ({ preferences: [{ topic: 2, channel: 1, enabled: true }] })),
    'notification.Unsubscribe': free(() => ({ token: 'no-such-token' })),
    'notification.GetPushKey': free(),
    'notification.SubscribePush': free(() => ({
      endpoint: `https://push.example.com/${fresh('device')}`,
      p256dh: 'BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM',
      auth: 'tBHItJI5svbpez7KI4CCXg',
    })),
    'notification.UnsubscribePush': free(() => ({ endpoint: 'https://push.example.com/none' })),
    'notification.CreateWebhook': vendors('vendorId', {
      request: (of) => ({ vendorId: of.vendorId, url: 'https://hooks.example.com/y', eventTypes: ['payout.failed'] }),
    }),
    'notification.ListWebhooks': lists(),
    'notification.DeleteWebhook': [
      vendors('vendorId', { request: (of) => ({ vendorId: of.vendorId, webhookId: of.webhookId }), renew: newWebhook }),
      vendors('webhookId', {
        request: (of, me) => ({ vendorId: me.vendorId ?? of.vendorId, webhookId: of.webhookId }),
        renew: newWebhook,
      }),
    ],

    'order.PlaceOrder': free((of) => ({
      idempotencyKey: key(),
      shippingAddress: address,
      deliveries: [{ vendorId: of.vendorId, optionId: 'x' }],
      paymentProvider: 1,
      email: 'somebody@example.com',
    })),
    'order.QuoteTax': free(() => ({ country: 'BD', lines: [{ lineId: '1', taxClass: 'standard', amount: bdt(100) }] })),
    'order.GetOrder': customers('orderNo', { also: ['orders.read'] }),
    'order.ListMyOrders': free(),
    'order.ListMyOrderSummaries': free(),
    'order.ListOrders': free(),
    'order.GetVendorOrder': vendors('vendorOrderId'),
    'order.ListVendorOrders': lists(),
    'order.AcceptVendorOrder': vendors('vendorOrderId'),
    'order.UpdateFulfilment': vendors('vendorOrderId', {
      request: (of) => ({
        vendorOrderId: of.vendorOrderId,
        fulfilment: 1,
        carrier: 'table',
        trackingNo: of.trackingNo,
      }),
    }),
    'order.GetTimeline': customers('orderNo', { also: ['orders.read'] }),
    'order.HasPurchased': free((of) => ({ userId: of.userId, productId: of.productId })),
    'order.RefundLines': vendors('vendorOrderId', {
      request: (of) => ({
        idempotencyKey: key(),
        vendorOrderId: of.vendorOrderId,
        lines: [{ orderItemId: of.orderItemId, qty: 1 }],
        reason: 'broken',
      }),
    }),
    'order.CancelVendorOrder': vendors('vendorOrderId', {
      request: (of) => ({ vendorOrderId: of.vendorOrderId, reason: 2, note: '' }),
    }),
    'order.CancelOrder': [
      customers('orderNo', { also: ['orders.write'], request: (of) => ({ orderNo: of.orderNo, reason: 1 }) }),
      customers('unpaidOrderNo', {
        also: ['orders.write'],
        request: (of) => ({ orderNo: of.unpaidOrderNo, reason: 1 }),
      }),
    ],

    'payment.CreateIntent': free((of) => ({
      orderId: of.orderId,
      orderNo: of.orderNo,
      userId: of.userId,
      provider: 1,
      amount: bdt(1),
      allocations: [allocation(of)],
    })),
    'payment.GetPaymentSession': customers('unpaidOrderId', { request: (of) => ({ orderId: of.unpaidOrderId }) }),
    'payment.VoidIntent': shared('orderId', { absent: 'same' }),
    'payment.GetPayment': [
      customers('paymentId', {
        also: ['payments.read'],
        request: (of) => ({ key: { $case: 'paymentId', value: of.paymentId } }),
      }),
      customers('orderId', {
        also: ['payments.read'],
        request: (of) => ({ key: { $case: 'orderId', value: of.orderId } }),
      }),
    ],
    'payment.ListPayments': free(),
    'payment.Refund': shared('orderId', {
      request: (of) => ({
        idempotencyKey: key(),
        orderId: of.orderId,
        refundId: randomUUID(),
        amount: bdt(1),
        allocations: [allocation(of)],
        reason: 'kindness',
      }),
    }),
    'payment.HandleWebhook': free(() => ({ provider: 1, payload: Buffer.from('{}'), signature: 'v1=wrong' })),
    'payment.ExecutePayout': free((of) => ({
      payoutId: randomUUID(),
      vendorId: of.vendorId,
      amount: bdt(1_000_000_000),
      provider: 1,
    })),
    'payment.GetTrialBalance': free(),
    'payment.ListPostings': free(),

    'profile.GetProfile': free(),
    'profile.UpdateProfile': free(() => ({ locale: 'en' })),
    'profile.BatchGetProfiles': shared('userId', { absent: 'same', request: (of) => ({ userIds: [of.userId] }) }),
    'profile.ListAddresses': free(),
    'profile.CreateAddress': free(() => ({ label: 'Other', address })),
    'profile.UpdateAddress': customers('addressId', {
      request: (of) => ({ addressId: of.addressId, label: 'Changed' }),
    }),
    'profile.SetDefaultAddress': customers('addressId'),
    'profile.DeleteAddress': customers('addressId'),
    'profile.ExportMyData': free(),

    'promotion.CreateCoupon': vendors('vendorId', {
      absent: 'same',
      request: (of) => ({ code: fresh('CODE'), type: 1, percentBps: 500, fundedBy: 2, vendorId: of.vendorId }),
    }),
    'promotion.UpdateCoupon': vendors('couponId', { request: (of) => ({ couponId: of.couponId, isActive: true }) }),
    'promotion.ListCoupons': lists(),
    'promotion.Quote': free((of) => ({
      codes: [of.couponCode],
      lines: [{ lineId: '1', vendorId: of.vendorId, productId: of.productId, amount: bdt(100) }],
    })),
    'promotion.Hold': free((of) => ({
      orderId: randomUUID(),
      userId: of.userId,
      coupons: [{ couponId: of.couponId, discount: bdt(1) }],
      ttlSeconds: 60,
    })),
    'promotion.Redeem': free(() => ({ orderId: randomUUID() })),
    'promotion.Release': free(() => ({ orderId: randomUUID() })),

    'review.SubmitReview': customers('deliveredOrderNo', {
      absent: 'same',
      request: (of) => ({
        productId: of.productId,
        orderNo: of.deliveredOrderNo,
        sku: of.sku,
        rating: 1,
        authorName: 'Somebody',
      }),
    }),
    'review.ListReviews': shared('productId', { absent: 'same' }),
    'review.ListMyReviews': free(),
    'review.ListVendorReviews': lists(),
    'review.ModerateReview': shared('reviewId', { request: (of) => ({ reviewId: of.reviewId, decision: 2 }) }),
    'review.FlagReview': shared('reviewId', { request: (of) => ({ reviewId: of.reviewId, reason: 1 }) }),
    'review.ReplyToReview': vendors('reviewId', { request: (of) => ({ reviewId: of.reviewId, body: 'Thank you.' }) }),
    'review.ListModerationQueue': free(),

    'shipping.GetRates': free((of) => ({
      parcels: [{ vendorId: of.vendorId, weightGrams: 100, total: bdt(100), itemCount: 1 }],
      destination,
    })),
    'shipping.UpsertRateTable': [
      vendors('vendorId', { absent: 'same', request: (of) => rateTableOf(of.vendorId, fresh('made')) }),
      vendors('rateTableId', {
        request: (of, me) => ({ ...rateTableOf(me.vendorId ?? of.vendorId, 'own'), rateTableId: of.rateTableId }),
      }),
    ],
    'shipping.ListRateTables': lists(),
    'shipping.DeleteRateTable': vendors('rateTableId', {
      async renew(of) {
        const request = rateTableOf(of.vendorId, fresh('spare'))
        return { rateTableId: (await make('shipping.UpsertRateTable', request, sellerOf(of))).rateTable.id }
      },
    }),
    'shipping.CreateLabel': vendors('vendorOrderId'),
    'shipping.GetLabel': vendors('shipmentId'),
    'shipping.GetShipment': [
      vendors('shipmentId', { request: (of) => ({ key: { $case: 'shipmentId', value: of.shipmentId } }) }),
      vendors('vendorOrderId', { request: (of) => ({ key: { $case: 'vendorOrderId', value: of.vendorOrderId } }) }),
    ],
    'shipping.ListShipments': [lists(), vendors('orderId', { absent: 'same' })],
    'shipping.Track': shared('trackingNo'),
    'shipping.RecordCarrierEvent': free(() => ({ carrier: 'table', payload: Buffer.from('{}'), signature: 'wrong' })),

    'vendor.GetMyVendor': vendors('vendorId', { mine: true, request: () => ({}) }),
    'vendor.GetVendor': vendors('vendorId', { member: '', services: true }),
    'vendor.GetVendorBySlug': shared('vendorSlug', { request: (of) => ({ slug: of.vendorSlug }) }),
    'vendor.BatchGetVendors': shared('vendorId', { absent: 'same', request: (of) => ({ vendorIds: [of.vendorId] }) }),
    'vendor.ListVendors': free(),
    'vendor.UpdateVendor': vendors('vendorId', {
      member: 'profile.write',
      request: (of) => ({ vendorId: of.vendorId, description: 'Changed.' }),
    }),
    'vendor.SetVendorStatus': shared('vendorId', {
      request: (of) => ({ vendorId: of.vendorId, status: 2, reason: 'again' }),
    }),
    'vendor.ListStatusHistory': shared('vendorId'),
    'vendor.AddKycDocument': vendors('vendorId', {
      member: 'profile.write',
      request: (of) => ({
        vendorId: of.vendorId,
        docType: 6,
        fileName: 'a.pdf',
        contentType: 'application/pdf',
        content: Buffer.from('%PDF-1.4\n%%EOF\n'),
      }),
    }),
    'vendor.ListKycDocuments': vendors('vendorId', { member: 'profile.write' }),
    'vendor.GetKycDocumentContent': shared('documentId'),
    'vendor.ReviewKycDocument': shared('documentId', { request: (of) => ({ documentId: of.documentId, decision: 2 }) }),
    'vendor.AddBankAccount': vendors('vendorId', {
      member: 'owner',
      request: (of) => ({
        vendorId: of.vendorId,
        accountHolder: 'Somebody',
        number: { $case: 'accountNo', value: '0123456789' },
        bankName: 'A Bank',
        routing: '011000015',
        country: 'BD',
      }),
    }),
    'vendor.ListBankAccounts': vendors('vendorId', { member: 'payouts.read' }),
    'vendor.VerifyBankAccount': shared('bankAccountId', {
      request: (of) => ({ bankAccountId: of.bankAccountId, verified: true }),
    }),
    'vendor.ListMembers': vendors('vendorId'),
    'vendor.InviteMember': vendors('vendorId', {
      request: (of) => ({ vendorId: of.vendorId, email: of.memberEmail, permissions: ['members.write'] }),
    }),
    'vendor.RemoveMember': [
      vendors('vendorId', { request: (of) => ({ vendorId: of.vendorId, userId: of.memberId }), renew: memberAgain }),
      vendors('memberId', {
        request: (of, me) => ({ vendorId: me.vendorId ?? of.vendorId, userId: of.memberId }),
        renew: memberAgain,
      }),
    ],
    'vendor.SetCommissionRules': free(() => ({ rules: [{ scope: 4, percentBps: 1 }], expectedVersion: 99n })),
    'vendor.GetCommissionRules': free(),
    'vendor.QuoteCommission': shared('vendorId', {
      request: (of) => ({
        lines: [{ lineId: '1', vendorId: of.vendorId, productId: of.productId, base: bdt(100), quantity: 1 }],
      }),
    }),
    'vendor.ListEarnings': [lists(), vendors('orderId', { absent: 'same' })],
    'vendor.GetBalance': vendors('vendorId'),
    'vendor.RequestPayout': vendors('vendorId', {
      request: (of) => ({ vendorId: of.vendorId, currency: 'BDT', idempotencyKey: key() }),
    }),
    'vendor.ListPayouts': lists(),
    'vendor.ExplainPayout': vendors('payoutId'),
    'vendor.RejectPayout': shared('payoutId', { request: (of) => ({ payoutId: of.payoutId, reason: 'no' }) }),
    'vendor.ApprovePayout': shared('payoutId', { persons: true }),
    'vendor.Apply': free(() => ({
      name: fresh('Applicant'),
      supportEmail: 'somebody@example.com',
      defaultCurrency: 'BDT',
      shipsFrom: { country: 'BD' },
    })),

    // Last: nothing of whoever calls it is left.
    'profile.ForgetMe': free(() => ({ confirm: true })),
  }
  return new Map(Object.entries(table).map(([name, lines]) => [name, Array.isArray(lines) ? lines : [lines]]))

  async function newCart(): Promise<Partial<World>> {
    return { cartToken: (await make('cart.AddItem', { sku: 'GOODS-A', qty: 1 }, {})).cart.cartToken }
  }
  async function newWebhook(of: World): Promise<Partial<World>> {
    const request = { vendorId: of.vendorId, url: 'https://hooks.example.com/z', eventTypes: ['payout.failed'] }
    return { webhookId: (await make('notification.CreateWebhook', request, sellerOf(of))).webhook.id }
  }
  async function memberAgain(of: World): Promise<Partial<World>> {
    const request = { vendorId: of.vendorId, email: of.memberEmail, permissions: ['orders.read'] }
    await make('vendor.InviteMember', request, sellerOf(of))
    return {}
  }
}
