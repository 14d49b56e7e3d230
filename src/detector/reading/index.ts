export { ordersIn, weighed } from './result-orders.ts';
