// Reads what export_featbit gave as the bootstrap of FeatBit's Node SDK and evaluates every flag for every user with it;
// expected.jsonl has what evaluate_flag said, a line for each user: {"user_key", "context", "values": {flag: value}}.
import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { FbClientBuilder, UserBuilder } from '@featbit/node-server-sdk';

const version = JSON.parse(readFileSync('node_modules/@featbit/node-server-sdk/package.json')).version;
const silent = { info() {}, warn() {}, error() {}, debug() {}, none() {} };
const bootstrap = readFileSync('export.json', 'utf8');
const client = new FbClientBuilder().offline(true).useJsonBootstrapProvider(bootstrap).logger(silent).build();
await client.waitForInitialization?.();

// Where a user has no such attribute, FeatBit's server reads the empty string; the Node SDK reads undefined, on which some
// of its operators throw. It is given the empty string.
const properties = ['country', 'plan', 'beta', 'age', 'seats', 'account'];
let users = 0, compared = 0, disagreements = 0;
const flags = new Set(), values = new Set();
for await (const line of createInterface({ input: createReadStream('expected.jsonl') })) {
	const expected = JSON.parse(line);
	const builder = new UserBuilder(expected.user_key).name(expected.context.name);
	for (const property of properties) builder.custom(property, expected.context[property] ?? '');
	const user = builder.build();
	users++;
	for (const [flag, value] of Object.entries(expected.values)) {
		const answer = await client.stringVariation(flag, user, 'the default of the code');
		compared++;
		flags.add(flag);
		values.add(`${flag} ${answer}`);
		if (answer !== (value ?? 'the default of the code')) {
			disagreements++;
			if (disagreements <= 20) console.log(`disagreement: flag ${flag}, ${JSON.stringify(expected.context)} of ${expected.user_key}: the SDK serves ${answer}, evaluate_flag ${value}`);
		}
	}
}
await client.close?.();
console.log(`@featbit/node-server-sdk ${version}, node ${process.version}: ${users} users, ${flags.size} flags, ${compared} evaluations with ${values.size} different outcomes, ${disagreements} disagreements`);
// flags that serve everyone the same would prove little
process.exit(disagreements === 0 && compared > 0 && values.size > 1.5 * flags.size ? 0 : 1);
