__all__ = ['ttypes', 'constants', 'ConformanceUuid']
