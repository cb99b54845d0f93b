// Evaluates the split 'f' and the rules 'r' of evaluation_data.sql in each SDK for distinct users and prints the CPU time and
// the share of 'tuned', which must be that of the flag: 50 % of the split, about 21 % of the
// rules.  Users are made before the clock starts, in portions.
import { readFileSync } from 'node:fs';

const users = Number(process.env.BENCH_SDK_USERS ?? 1000000);
const warmup = Number(process.env.BENCH_SDK_WARMUP ?? 200000);
const portion = 10000;
const countries = ['de', 'us', 'fr', 'jp', 'br'], plans = ['free', 'pro', 'team'], devices = ['ios', 'android', 'web'];
const attributes = u => ({
	country: countries[u % 5], age: 18 + u % 60, plan: plans[u % 3], beta: u % 10 === 0, version: `2.${u % 12}.0`,
	city: `city-${u % 500}`, device: devices[u % 3], spend: (u % 1000) / 10,
});
const version = name => JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version;

async function measure(name, label, make, evaluate) {
	let tuned = 0, cpu = 0;
	for (let start = 1 - warmup; start <= users; start += portion) {
		const some = [];
		for (let u = start; u < start + portion && u <= users; u++) some.push(make(u + warmup));
		const before = process.cpuUsage();
		let met = 0;
		for (const user of some) {
			const answer = evaluate(user);
			if ((typeof answer?.then === 'function' ? await answer : answer) === 'tuned') met++;
		}
		const used = process.cpuUsage(before);
		if (start > 0) {
			cpu += used.user + used.system;
			tuned += met;
		}
	}
	console.log(`${name} ${version(name)}`.padEnd(36), label.padEnd(6), `${Math.round(cpu * 1000 / users)} ns`.padStart(9),
		`${Math.round(users / cpu * 1e6)}/s`.padStart(12), `tuned ${(100 * tuned / users).toFixed(1)} %`);
}

async function run(name, body) {
	try {
		await body(name);
	} catch (error) {
		console.log(`${name}: skipped, ${error.message}`);
	}
}

await run('@featbit/node-server-sdk', async name => {
	const { FbClientBuilder, UserBuilder } = await import(name);
	const variations = [{ id: 'base', name: 'base', value: 'base' }, { id: 'tuned', name: 'tuned', value: 'tuned' }];
	const serve = weights => {
		let from = 0;
		return Object.entries(weights).map(([id, weight]) => {
			const rollout = [from, from + weight];
			from += weight;
			return { id, rollout, exptRollout: 1 };
		});
	};
	const condition = (property, op, value) => ({ id: `${property}-${op}`, property, op, value });
	const rule = (id, conditions, weights) => ({ id, name: id, dispatchKey: null, includedInExpt: false, conditions, variations: serve(weights) });
	const flag = (key, rules, weights) => ({
		id: key, envId: 'e', name: key, description: '', key, variationType: 'string', variations, targetUsers: [], rules,
		isEnabled: true, disabledVariationId: 'base', fallthrough: { dispatchKey: null, includedInExpt: false, variations: serve(weights) },
		exptIncludeAllTargets: false, tags: [], updatedAt: '2026-01-01T00:00:00.000Z', isArchived: false,
	});
	const data = JSON.stringify({ messageType: 'data-sync', data: { eventType: 'full', segments: [], featureFlags: [
		flag('f', [], { base: 0.5, tuned: 0.5 }),
		flag('r', [
			rule('one', [condition('country', 'IsOneOf', '["jp","br"]'), condition('age', 'BiggerThan', '70')], { base: 1 }),
			rule('two', [condition('plan', 'Equal', 'team'), condition('age', 'BiggerThan', '60')], { base: 0.3, tuned: 0.7 }),
			rule('three', [condition('country', 'IsOneOf', '["de"]'), condition('beta', 'IsTrue', '')], { tuned: 1 })],
			{ base: 0.9, tuned: 0.1 }),
	] } });
	const silent = { info() {}, warn() {}, error() {}, debug() {}, none() {} };
	const client = new FbClientBuilder().offline(true).useJsonBootstrapProvider(data).logger(silent).build();
	await client.waitForInitialization?.();
	const make = u => {
		const builder = new UserBuilder(`user-${u}`).name('');
		for (const [key, value] of Object.entries(attributes(u))) builder.custom(key, String(value));
		return builder.build();
	};
	await measure(name, 'split', make, user => client.stringVariation('f', user, 'none'));
	await measure(name, 'rules', make, user => client.stringVariation('r', user, 'none'));
	await client.close?.();
});

await run('@growthbook/growthbook', async name => {
	const { GrowthBookClient } = await import(name);
	const experiment = (weights, condition) => ({ ...(condition && { condition }), variations: ['base', 'tuned'], weights, hashAttribute: 'id', hashVersion: 2 });
	const client = new GrowthBookClient({}).initSync({ payload: { features: {
		f: { defaultValue: 'base', rules: [experiment([0.5, 0.5])] },
		r: { defaultValue: 'base', rules: [
			{ condition: { country: { $in: ['jp', 'br'] }, age: { $gt: 70 } }, force: 'base' },
			experiment([0.3, 0.7], { plan: 'team', age: { $gt: 60 } }),
			{ condition: { country: { $in: ['de'] }, beta: true }, force: 'tuned' },
			experiment([0.9, 0.1])] },
	} } });
	const make = u => ({ attributes: { id: `user-${u}`, ...attributes(u) } });
	await measure(name, 'split', make, user => client.getFeatureValue('f', 'none', user));
	await measure(name, 'rules', make, user => client.getFeatureValue('r', 'none', user));
	client.destroy();
});

await run('unleash-client', async name => {
	const { initialize, InMemStorageProvider } = await import(name);
	const variant = (variantName, weight) => ({ name: variantName, weight, weightType: 'fix', stickiness: 'userId', payload: { type: 'string', value: variantName } });
	const strategy = (constraints, weights) => ({
		name: 'flexibleRollout', constraints, parameters: { rollout: '100', stickiness: 'userId', groupId: 'g' },
		variants: Object.entries(weights).map(([key, weight]) => variant(key, weight)),
	});
	const feature = (featureName, strategies) => ({ name: featureName, type: 'release', enabled: true, stale: false, impressionData: false, project: 'default', strategies, variants: [] });
	const is = (contextName, ...values) => ({ contextName, operator: 'IN', values });
	const more = (contextName, value) => ({ contextName, operator: 'NUM_GT', value: String(value) });
	const client = initialize({
		url: 'http://127.0.0.1:9/', appName: 'bench', refreshInterval: 0, metricsInterval: 0, disableMetrics: true, storageProvider: new InMemStorageProvider(),
		bootstrap: { data: [
			feature('f', [strategy([], { base: 500, tuned: 500 })]),
			feature('r', [
				strategy([is('country', 'jp', 'br'), more('age', 70)], { base: 1000 }),
				strategy([is('plan', 'team'), more('age', 60)], { base: 300, tuned: 700 }),
				strategy([is('country', 'de'), is('beta', 'true')], { tuned: 1000 }),
				strategy([], { base: 900, tuned: 100 })]),
		] },
	});
	client.on('error', () => {});
	client.on('warn', () => {});
	await new Promise(resolve => (client.once('ready', resolve), setTimeout(resolve, 1000)));
	const make = u => ({ userId: `user-${u}`, properties: Object.fromEntries(Object.entries(attributes(u)).map(([k, v]) => [k, String(v)])) });
	await measure(name, 'split', make, user => client.getVariant('f', user).name);
	await measure(name, 'rules', make, user => client.getVariant('r', user).name);
	client.destroy();
});

await run('@openfeature/flagd-core', async name => {
	const { FlagdCore } = await import(name);
	const core = new FlagdCore();
	const silent = { info() {}, warn() {}, error() {}, debug() {} };
	const split = weights => ({ fractional: [{ var: 'targetingKey' }, ...Object.entries(weights)] });
	const variable = key => ({ var: key });
	const flag = targeting => ({ state: 'ENABLED', variants: { base: 'base', tuned: 'tuned' }, defaultVariant: 'base', targeting });
	core.setConfigurations(JSON.stringify({ flags: {
		f: flag(split({ base: 50, tuned: 50 })),
		r: flag({ if: [
			{ and: [{ in: [variable('country'), ['jp', 'br']] }, { '>': [variable('age'), 70] }] }, 'base',
			{ and: [{ '==': [variable('plan'), 'team'] }, { '>': [variable('age'), 60] }] }, split({ base: 30, tuned: 70 }),
			{ and: [{ in: [variable('country'), ['de']] }, { '==': [variable('beta'), true] }] }, 'tuned',
			split({ base: 90, tuned: 10 })] }),
	} }));
	const make = u => ({ targetingKey: `user-${u}`, ...attributes(u) });
	await measure(name, 'split', make, user => core.resolveStringEvaluation('f', 'none', user, silent).value);
	await measure(name, 'rules', make, user => core.resolveStringEvaluation('r', 'none', user, silent).value);
});
process.exit(0);
