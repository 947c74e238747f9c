import { drills } from './drills.ts'

const [name, ...args] = process.argv.slice(2)
const drill = name && Object.hasOwn(drills, name) ? drills[name] : undefined
if (!drill) {
  console.error(`usage: npm run drill -- ${Object.keys(drills).join('|')} [options]`)
  process.exit(2)
}
const { run } = await drill()
// A drill prints its figures and answers what it found wrong.
const faults = await run(args)
for (const fault of faults) console.error(`  ! ${fault}`)
console.log(faults.length === 0 ? `${name}: nothing found wrong` : `${name}: ${faults.length} faults`)
process.exit(faults.length === 0 ? 0 : 1)
