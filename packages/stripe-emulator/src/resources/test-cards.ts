/** What happens when a test payment method is charged. */
export type Outcome =
  | { kind: 'succeeds' | 'authenticates' | 'processes' | 'is disputed' }
  | { kind: 'declines'; code: string; declineCode?: string; message: string }

export type TestCard = { token: string; number?: string; brand: string; outcome: Outcome }

const succeeds: Outcome = { kind: 'succeeds' }
const declined = (declineCode: string, message: string): Outcome => ({
  kind: 'declines',
  code: 'card_declined',
  declineCode,
  message,
})
const refused = (code: string, message: string): Outcome => ({ kind: 'declines', code, message })

/** A subset of docs.stripe.com/testing, by the same numbers and tokens. */
export const testCards: readonly TestCard[] = [
  { token: 'pm_card_visa', number: '4242424242424242', brand: 'visa', outcome: succeeds },
  { token: 'pm_card_mastercard', number: '5555555555554444', brand: 'mastercard', outcome: succeeds },
  { token: 'pm_card_amex', number: '378282246310005', brand: 'amex', outcome: succeeds },
  { token: 'pm_card_bypassPending', number: '4000000000000077', brand: 'visa', outcome: succeeds },
  {
    token: 'pm_card_visa_chargeDeclined',
    number: '4000000000000002',
    brand: 'visa',
    outcome: declined('generic_decline', 'Your card was declined.'),
  },
  {
    token: 'pm_card_visa_chargeDeclinedInsufficientFunds',
    number: '4000000000009995',
    brand: 'visa',
    outcome: declined('insufficient_funds', 'Your card has insufficient funds.'),
  },
  {
    token: 'pm_card_visa_chargeDeclinedLostCard',
    number: '4000000000009987',
    brand: 'visa',
    outcome: declined('lost_card', 'Your card was declined.'),
  },
  {
    token: 'pm_card_chargeDeclinedExpiredCard',
    number: '4000000000000069',
    brand: 'visa',
    outcome: refused('expired_card', 'Your card has expired.'),
  },
  {
    token: 'pm_card_chargeDeclinedIncorrectCvc',
    number: '4000000000000127',
    brand: 'visa',
    outcome: refused('incorrect_cvc', "Your card's security code is incorrect."),
  },
  {
    token: 'pm_card_chargeDeclinedProcessingError',
    number: '4000000000000119',
    brand: 'visa',
    outcome: refused('processing_error', 'An error occurred while processing your card. Try again in a little bit.'),
  },
  {
    token: 'pm_card_authenticationRequired',
    number: '4000002500003155',
    brand: 'visa',
    outcome: { kind: 'authenticates' },
  },
  { token: 'pm_card_createDispute', number: '4000000000000259', brand: 'visa', outcome: { kind: 'is disputed' } },
  // Stands for every method whose bank answers days later; see finishProcessing.
  { token: 'pm_usBankAccount_processing', brand: 'visa', outcome: { kind: 'processes' } },
]

/** A real card number in test mode is declined, exactly so that nobody tests with one. */
export const liveCard: TestCard = {
  token: 'live',
  brand: 'unknown',
  outcome: declined(
    'test_mode_live_card',
    'Your card was declined. Your request was in test mode, but used a non test (live) card. For a list of valid test cards, visit: https://stripe.com/docs/testing.',
  ),
}

export function cardByToken(token: string): TestCard | undefined {
  return token === liveCard.token ? liveCard : testCards.find((card) => card.token === token)
}

export function cardByNumber(number: string): TestCard {
  return testCards.find((card) => card.number === number) ?? liveCard
}
