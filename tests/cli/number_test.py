#!/usr/bin/env python3
"""`halftone number`: the worked numbers of the documents, as a user types them."""
import json
import unittest

from program import ProgramTest


class Number(ProgramTest):
    def number(self, *arguments):
        return json.loads(self.run_it('number', '--json', *arguments).stdout)

    def test_fixed_point(self):
        out = self.number('3.324', '--format', 'fixed:8:4')
        self.assertEqual((out['integer'], out['binary'], out['hex'], out['value']), (53, '0011.0101', '0x35', 3.3125))
        self.assertAlmostEqual(out['error'], -0.0115)
        self.assertEqual(self.number('7.9375', '--format', 'fixed:8:4')['binary'], '0111.1111')
        for spelled in (['-8', '--format', 'fixed:8:4'], ['--format', 'fixed:8:4', '-8'], ['--format', 'fixed:8:4', '--', '-8'],
                        ['-8.0e0', '--format', 'fixed:8:4']):
            self.assertEqual(self.number(*spelled)['binary'], '1000.0000')
        self.assertEqual(self.number('-.5', '--format', 'fixed:8:4')['integer'], -8)
        self.assertTrue(self.number('100', '--format', 'fixed:8:4')['saturated'])

    def test_affine(self):
        out = self.number('1.0', '--format', 'int8:0.05:3')
        self.assertEqual(out['integer'], 23)
        self.assertEqual(self.number('-5', '--format', 'uint4:0.5:2')['integer'], 0)

    def test_floats(self):
        self.assertEqual(self.number('1.0', '--format', 'fp16')['hex'], '0x3c00')
        self.assertEqual(self.number('3.14159', '--format', 'bf16')['hex'], '0x4049')
        self.assertEqual(self.number('448', '--format', 'fp8e4m3')['hex'], '0x7e')
        self.assertEqual(self.number('57344', '--format', 'fp8e5m2')['hex'], '0x7b')

    def test_sums_and_products_across_formats(self):
        out = self.number('3.324 * 0.7', '--format', 'fixed:8:4', '--format', 'fixed:8:6', '--format', 'fixed:8:5')
        a, b = 3.3125, 45 / 64
        self.assertEqual([n['value'] for n in out['numbers']], [a, b])
        self.assertEqual(out['result']['value'], round(a * b * 32) / 32)
        self.assertAlmostEqual(out['lost']['total'], out['result']['value'] - 3.324 * 0.7)
        out = self.number('1.5', '+', '2.25', '--format', 'fp16', '--format', 'int8:0.5')
        self.assertEqual(out['result']['value'], 3.5)

    def test_nonsense(self):
        for arguments in (['abc', '--format', 'fp16'], ['1', '--format', 'fp99'], ['1', '--format', 'fixed:8'], ['1'], ['nan', '--format', 'fp16'],
                          ['1', '--format', 'int99'], ['1', '--format', 'int8:0'], ['1', '--format', 'int8:1:200'], ['1 / 2', '--format', 'fp16'],
                          ['1', '--format', 'fixed:8:999'], ['1', '--format', 'int8:nan'], ['1e999', '--format', 'fp16']):
            with self.subTest(arguments):
                self.expect_error('number', *arguments, code=2)


if __name__ == '__main__':
    unittest.main()
