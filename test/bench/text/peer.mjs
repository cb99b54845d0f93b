// npm: BLEU of each sentence by bleu-score, ROUGE-L by js-rouge with the simplest tokeniser and no division into sentences.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const require = createRequire(import.meta.url);
const { bleu } = require('bleu-score');
const { l } = require('js-rouge');
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version;
const pairs = readFileSync(process.argv[2], 'utf8').split('\n').filter(Boolean).map((line) => line.split('\t'));

// Runs three times and tells the milliseconds of CPU time of the fastest.
function measure(run) {
	let best = Infinity, value;
	for (let i = 0; i < 3; i++) {
		const started = process.cpuUsage();
		value = run();
		const used = process.cpuUsage(started);
		best = Math.min(best, (used.user + used.system) / 1000);
	}
	return [best, value];
}

const [bleuTime] = measure(() => pairs.reduce((sum, [pred, ref]) => sum + bleu(ref, pred, 4), 0));
console.log(`bleu-score ${version('bleu-score')} (node ${process.version}): ${bleuTime.toFixed(0)} ms, sentence by sentence`);
const options = { tokenizer: (text) => text.split(' '), segmenter: (text) => [text] };
const [rougeTime, sum] = measure(() => pairs.reduce((total, [pred, ref]) => total + l(pred, ref, options), 0));
console.log(`js-rouge ${version('js-rouge')}: l ${rougeTime.toFixed(0)} ms, ROUGE-L ${(sum / pairs.length).toFixed(9)}`);
