__all__ = ['ttypes', 'constants', 'Wire']
