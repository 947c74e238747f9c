import { run } from '@haat/kit/run'
import { loadConfig } from './config.ts'
import { startCart } from './service.ts'

await run('cart', loadConfig, startCart)
