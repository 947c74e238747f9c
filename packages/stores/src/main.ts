import { parseArgs } from 'node:util'
import { StoreError } from './store-error.ts'
import { type StoreName, type Stores, startStores, storeNames, urlVariables, wipe } from './stores.ts'

const { values } = parseArgs({
  options: {
    'data-dir': { type: 'string', default: '.data' },
    only: { type: 'string' },
    'not-durable': { type: 'boolean', default: false },
    wipe: { type: 'boolean', default: false },
  },
})

let stores: Stores | undefined
const stopped = new Promise<void>((resolve) => {
  // What a start cut short has already started gets its signal when the process exits.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (stores ? resolve() : process.exit(1)))
})

try {
  if (values.wipe) await wipe(values['data-dir'])
  stores = await startStores({
    dataDir: values['data-dir'],
    durable: !values['not-durable'],
    log: (line) => console.error(line),
    ...(values.only ? { only: values.only.split(',').map(storeName) } : {}),
  })
} catch (error) {
  console.error(error instanceof StoreError ? error.message : error)
  process.exit(1)
}

const started = storeNames.filter((name) => stores.urls[name] !== '')
for (const name of started) console.log(`# ${name}: ${stores.chosen[name]}`)
for (const name of started) console.log(`export ${urlVariables[name]}='${stores.urls[name]}'`)

// A pending promise alone does not keep a process alive.
const alive = setInterval(() => {}, 2 ** 30)
await stopped
clearInterval(alive)
await stores.close()

function storeName(name: string): StoreName {
  const known = storeNames.find((candidate) => candidate === name)
  if (!known) throw new StoreError(`--only: there is no store called ${name} (${storeNames.join(', ')})`)
  return known
}
