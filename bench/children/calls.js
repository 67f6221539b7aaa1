// Calls in a process whose environment is another one: each message { kind, count } is answered
// with the milliseconds that so many calls of that kind took.

import { calling, callingSync } from '../contenders.js'
import { GREETER, NAME } from '../greeter.js'
import { mapFunction, openOurs } from '../ours.js'

const rust = openOurs(GREETER)
const javascript = openOurs(GREETER, { functions: [mapFunction()] })
const kinds = {
  callSync: callingSync(rust, 'say_hello', NAME),
  ...calling({ call: rust, hostFunction: javascript }, 'say_hello', NAME)
}

process.on('message', async ({ kind, count }) => {
  process.send(await kinds[kind](count))
})
process.send('ready')

process.once('disconnect', async () => {
  await rust.close()
  await javascript.close()
})
