import { render } from 'preact';
import './style.css';
import { App } from './app.tsx';
import { start } from './lib/route.ts';

start();
render(<App />, document.getElementById('app')!);
