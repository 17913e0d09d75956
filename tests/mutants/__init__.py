"""Small mistakes in the files of money, one at a time: do the tests notice (`make mutants`)?"""
