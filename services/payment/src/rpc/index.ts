import type { RpcTable } from '@haat/kit/grpc-server'
import type { PaymentServiceImplementation } from '@haat/proto/payment/v1/payment'
import type { PaymentContext } from '../context.ts'
import { createIntent } from './create-intent.ts'
import { executePayout } from './execute-payout.ts'
import { getPayment } from './get-payment.ts'
import { getPaymentSession } from './get-payment-session.ts'
import { getTrialBalance } from './get-trial-balance.ts'
import { handleWebhook } from './handle-webhook.ts'
import { listPayments } from './list-payments.ts'
import { listPostings } from './list-postings.ts'
import { refund } from './refund.ts'
import { voidIntent } from './void-intent.ts'

export const rpc: RpcTable<PaymentContext, PaymentServiceImplementation> = {
  createIntent,
  executePayout,
  getPayment,
  getPaymentSession,
  getTrialBalance,
  handleWebhook,
  listPayments,
  listPostings,
  refund,
  voidIntent,
}
