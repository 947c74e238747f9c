import { run } from '@haat/kit/run'
import { loadConfig } from './config.ts'
import { startPromotion } from './service.ts'

await run('promotion', loadConfig, startPromotion)
