__all__ = ['ttypes', 'constants', 'ConformanceBase', 'Conformance', 'ConformanceOther']
