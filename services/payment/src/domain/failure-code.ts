/** The contract's reason codes of payment.failed, out of what Stripe says of a failed attempt. */
export function paymentFailureCode(error: {
  type?: string | undefined
  code?: string | undefined
  declineCode?: string | undefined
}): string {
  if (error.declineCode === 'insufficient_funds' || error.code === 'insufficient_funds') return 'insufficient_funds'
  if (error.code === 'payment_intent_authentication_failure' || error.code === 'authentication_required')
    return 'authentication_failed'
  return error.type === 'card_error' || error.code === 'payment_method_provider_decline'
    ? 'card_declined'
    : 'provider_error'
}

/** The contract's reason codes of payout.failed, out of the provider's refusal. */
export function payoutFailureCode(reason: string): string {
  if (reason === 'balance_insufficient' || reason === 'insufficient_funds') return 'balance_insufficient'
  if (
    reason === 'insufficient_capabilities_for_transfer' ||
    reason === 'resource_missing' ||
    reason.startsWith('account_')
  )
    return 'account_invalid'
  return 'provider_rejected'
}
