"""The folder of a new framework: its files with what is left to write, from the templates beside this package's code.

It owns the templates. It takes the workloads from the catalog, the forms from the oracle, the weights from
`rosetta_common`, and the required mutants from `mutation`, so that a template states none of them.
"""
