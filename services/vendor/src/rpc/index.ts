import type { RpcTable } from '@haat/kit/grpc-server'
import type { VendorServiceImplementation } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { addBankAccount } from './add-bank-account.ts'
import { addKycDocument } from './add-kyc-document.ts'
import { apply } from './apply.ts'
import { approvePayout } from './approve-payout.ts'
import { batchGetVendors } from './batch-get-vendors.ts'
import { explainPayout } from './explain-payout.ts'
import { getBalance } from './get-balance.ts'
import { getCommissionRules } from './get-commission-rules.ts'
import { getKycDocumentContent } from './get-kyc-document-content.ts'
import { getMyVendor } from './get-my-vendor.ts'
import { getVendor } from './get-vendor.ts'
import { getVendorBySlug } from './get-vendor-by-slug.ts'
import { inviteMember } from './invite-member.ts'
import { listBankAccounts } from './list-bank-accounts.ts'
import { listEarnings } from './list-earnings.ts'
import { listKycDocuments } from './list-kyc-documents.ts'
import { listMembers } from './list-members.ts'
import { listPayouts } from './list-payouts.ts'
import { listStatusHistory } from './list-status-history.ts'
import { listVendors } from './list-vendors.ts'
import { quoteCommission } from './quote-commission.ts'
import { rejectPayout } from './reject-payout.ts'
import { removeMember } from './remove-member.ts'
import { requestPayout } from './request-payout.ts'
import { reviewKycDocument } from './review-kyc-document.ts'
import { setCommissionRules } from './set-commission-rules.ts'
import { setVendorStatus } from './set-vendor-status.ts'
import { updateVendor } from './update-vendor.ts'
import { verifyBankAccount } from './verify-bank-account.ts'

export const rpc: RpcTable<VendorContext, VendorServiceImplementation> = {
  addBankAccount,
  addKycDocument,
  apply,
  approvePayout,
  batchGetVendors,
  explainPayout,
  getBalance,
  getCommissionRules,
  getKycDocumentContent,
  getMyVendor,
  getVendor,
  getVendorBySlug,
  inviteMember,
  listBankAccounts,
  listEarnings,
  listKycDocuments,
  listMembers,
  listPayouts,
  listStatusHistory,
  listVendors,
  quoteCommission,
  rejectPayout,
  removeMember,
  requestPayout,
  reviewKycDocument,
  setCommissionRules,
  setVendorStatus,
  updateVendor,
  verifyBankAccount,
}
