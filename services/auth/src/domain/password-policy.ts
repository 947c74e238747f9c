/** One rule of PASSWORD_POLICY, named as it is written there. */
export type PasswordRule = { name: string; holds(password: string, person: Person): boolean }
/** Whose password it is; their own name is the first thing a guesser tries. */
export type Person = { email: string; name: string }

const MAX_LENGTH_RULE = 64
const PERSONAL_MIN = 4
const MIN_DISTINCT = 5

const rules: Record<string, PasswordRule['holds']> = {
  upper: (password) => /\p{Lu}/u.test(password),
  lower: (password) => /\p{Ll}/u.test(password),
  digit: (password) => /\p{Nd}/u.test(password),
  symbol: (password) => /[^\p{L}\p{Nd}]/u.test(password),
  common: (password) => !isCommon(password),
  personal: (password, person) => !isPersonal(password, person),
}

/** Reads `length:12,common,personal`; throws on a rule that does not exist. */
export function parsePolicy(text: string): PasswordRule[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((name) => {
      const length = /^length:(\d+)$/.exec(name)
      if (length) {
        const min = Number(length[1])
        if (min < 8 || min > MAX_LENGTH_RULE) throw new Error(`length must be 8 to ${MAX_LENGTH_RULE}`)
        return { name, holds: (password) => [...password].length >= min }
      }
      const holds = Object.hasOwn(rules, name) ? rules[name] : undefined
      if (!holds) throw new Error(`no such rule: ${name} (length:N, ${Object.keys(rules).join(', ')})`)
      return { name, holds }
    })
}

/** Names of the rules a password does not meet. */
export const missedRules = (policy: readonly PasswordRule[], password: string, person: Person): string[] =>
  policy.filter((rule) => !rule.holds(password, person)).map((rule) => rule.name)

/** The words most leaked passwords are made of; digits and symbols around them, or for letters, do not help. */
const WORDS = new Set(
  `password passw passphrase passcode changeme letmein welcome default secret master admin administrator superadmin
  login user guest root test testing qwerty qwertyuiop qwertyui asdfghjkl asdfgh zxcvbnm qazwsx qazwsxedc azerty iloveyou
  sunshine princess football baseball basketball superman batman dragon monkey shadow michael jordan liverpool chelsea
  arsenal barcelona pokemon starwars whatever trustno computer internet samsung google facebook bangladesh dhaka haat
  abc abcd abcde abcdef abcdefg abcdefgh abcdefghij abcdefghijkl passwordpassword qwertyqwerty adminadmin welcomewelcome`
    .split(/\s+/)
    .filter(Boolean),
)
const RUNS = [
  '01234567890123456789',
  'abcdefghijklmnopqrstuvwxyz',
  'qwertyuiopasdfghjklzxcvbnm',
  '1qaz2wsx3edc4rfv5tgb',
]
const LEET: Record<string, string> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
}

function isCommon(password: string): boolean {
  const text = password.toLowerCase()
  if (new Set(text).size < MIN_DISTINCT) return true
  if (RUNS.some((run) => isRun(text, run))) return true
  const core = (value: string) => value.replace(/^[^a-z]+|[^a-z]+$/g, '')
  const plain = core(text)
  const unleeted = core([...plain].map((char) => LEET[char] ?? char).join(''))
  const swapped = core([...text].map((char) => LEET[char] ?? char).join(''))
  return [plain, unleeted, swapped].some((word) => WORDS.has(word))
}

const isRun = (text: string, run: string): boolean => {
  const twice = run + run
  return twice.includes(text) || [...twice].reverse().join('').includes(text)
}

function isPersonal(password: string, { email, name }: Person): boolean {
  const text = password.toLowerCase()
  const parts = [email.split('@')[0] ?? '', ...name.split(/\s+/)].map((part) => part.toLowerCase())
  return parts.some((part) => [...part].length >= PERSONAL_MIN && text.includes(part))
}
