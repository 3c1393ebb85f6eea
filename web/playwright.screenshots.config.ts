import { defineConfig } from '@playwright/test';
import config from './playwright.config.js';

/** Makes the pictures in `docs/images/`. */
export default defineConfig(config, { testMatch: '**/*.shots.ts', workers: 1 });
