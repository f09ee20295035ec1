__all__ = ['ttypes', 'constants', 'Calculate']
